package main

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

type answer struct {
	Token        string    `json:"token"`
	AccessToken  string    `json:"access_token"`
	ExpiresIn    int64     `json:"expires_in"`
	IssuedAt     time.Time `json:"issued_at"`
	RefreshToken string    `json:"refresh_token,omitempty"`
}

// login is what a request says of who asks.
type login struct {
	grant, name, password, refreshToken string
	wantsRefreshToken                   bool
}

func readLogin(request *http.Request) login {
	if request.Method == http.MethodPost {
		return login{
			grant:             request.PostForm.Get("grant_type"),
			name:              request.PostForm.Get("username"),
			password:          request.PostForm.Get("password"),
			refreshToken:      request.PostForm.Get("refresh_token"),
			wantsRefreshToken: request.PostForm.Get("access_type") == "offline",
		}
	}
	name, password, hasPassword := request.BasicAuth()
	offline := request.Form.Get("offline_token") == "true"
	if !hasPassword {
		return login{grant: "anonymous"}
	}
	return login{grant: "basic", name: name, password: password, wantsRefreshToken: offline}
}

// authenticate returns the user's name and rights.
func (config *config) authenticate(login login) (string, rights, bool) {
	switch login.grant {
	case "anonymous":
		return "", config.Anonymous, true
	case "basic", "password":
		known, isKnown := config.Users[login.name]
		isRight := subtle.ConstantTimeCompare([]byte(known.Password), []byte(login.password)) == 1
		return login.name, known.Rights, isKnown && isRight
	case "refresh_token":
		name := config.refreshedUser(login.refreshToken)
		return name, config.Users[name].Rights, name != ""
	}
	return login.name, nil, false
}

// reply is the status and body of an answer.
type reply struct {
	status int
	body   any
}

func tokenHandler(configPath string, journal *journal) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		entry := entry{Time: time.Now().UTC(), Method: request.Method, Host: request.Host}
		reply := decide(configPath, request, &entry)
		entry.Status = reply.status
		// Whoever has the answer finds the request in the journal.
		journal.add(entry)
		if reply.status == http.StatusUnauthorized {
			response.Header().Set("WWW-Authenticate", `Basic realm="token server"`)
		}
		send(response, reply)
	}
}

func decide(configPath string, request *http.Request, entry *entry) reply {
	entry.Requested, entry.Granted = []string{}, []string{}
	if err := request.ParseForm(); err != nil {
		return refusal(http.StatusBadRequest, "UNSUPPORTED", "the form cannot be read")
	}
	config, err := readConfig(configPath)
	if err != nil {
		return refusal(http.StatusInternalServerError, "UNKNOWN", err.Error())
	}
	login := readLogin(request)
	name, rights, isAuthentic := config.authenticate(login)
	scopes := parseScopes(request.Form["scope"])
	entry.User, entry.Grant, entry.Requested = name, login.grant, describe(scopes)
	entry.ClientID, entry.Service = request.Form.Get("client_id"), request.Form.Get("service")
	switch {
	case request.Method == http.MethodPost && config.RefusePost:
		return refusal(http.StatusNotFound, "NOT_FOUND", "there is only GET")
	case request.Method != http.MethodPost && request.Method != http.MethodGet:
		return refusal(http.StatusMethodNotAllowed, "UNSUPPORTED", "there are only GET and POST")
	case !slices.Contains(config.Services, entry.Service):
		return refusal(http.StatusBadRequest, "UNSUPPORTED", "the service is not known here")
	case !isAuthentic:
		return refusal(http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
	}
	granted := rights.grant(scopes)
	entry.Granted = describe(granted)
	issued := entry.Time
	token, err := config.signToken(name, entry.Service, granted, issued)
	if err != nil {
		return refusal(http.StatusInternalServerError, "UNKNOWN", err.Error())
	}
	answer := answer{Token: token, AccessToken: token, ExpiresIn: config.TokenLifetimeSeconds, IssuedAt: issued}
	if login.wantsRefreshToken && name != "" {
		answer.RefreshToken = config.refreshToken(name)
	}
	return reply{http.StatusOK, answer}
}

func refusal(status int, code string, message string) reply {
	problem := map[string]string{"code": code, "message": message}
	return reply{status, map[string]any{"errors": []any{problem}}}
}

func send(response http.ResponseWriter, reply reply) {
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(reply.status)
	_ = json.NewEncoder(response).Encode(reply.body)
}
