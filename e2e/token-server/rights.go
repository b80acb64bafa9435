package main

import (
	"slices"
	"strings"
)

// rights are the actions that are allowed, by repository: "team/app", "team/*" for all below, "*" for all. The catalog's name is
// "registry:catalog", its only action "*".
type rights map[string][]string

// access is one entry of a token, and one scope of a request.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

func (access access) String() string {
	return access.Type + ":" + access.Name + ":" + strings.Join(access.Actions, ",")
}

// parseScopes reads `type:name:action,action`; a parameter may hold several with spaces between. A name may contain colons.
func parseScopes(parameters []string) []access {
	scopes := []access{}
	for _, scope := range strings.Fields(strings.Join(parameters, " ")) {
		first, last := strings.Index(scope, ":"), strings.LastIndex(scope, ":")
		if first == last {
			continue
		}
		actions := strings.Split(scope[last+1:], ",")
		scopes = append(scopes, access{Type: scope[:first], Name: scope[first+1 : last], Actions: actions})
	}
	return scopes
}

// grant keeps of the scopes what is allowed.
func (rights rights) grant(scopes []access) []access {
	granted := []access{}
	for _, scope := range scopes {
		allowed := rights.of(scope)
		actions := slices.DeleteFunc(slices.Clone(scope.Actions), func(action string) bool {
			return !slices.Contains(allowed, action)
		})
		if len(actions) > 0 {
			granted = append(granted, access{Type: scope.Type, Name: scope.Name, Actions: actions})
		}
	}
	return granted
}

func (rights rights) of(scope access) []string {
	name := scope.Name
	if scope.Type != "repository" {
		return rights[scope.Type+":"+name]
	}
	allowed := slices.Concat(rights["*"], rights[name])
	for end := strings.LastIndex(name, "/"); end > 0; end = strings.LastIndex(name[:end], "/") {
		allowed = append(allowed, rights[name[:end]+"/*"]...)
	}
	return allowed
}

func describe(scopes []access) []string {
	texts := []string{}
	for _, scope := range scopes {
		texts = append(texts, scope.String())
	}
	return texts
}
