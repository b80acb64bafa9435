// Command go-reference answers questions about path patterns and directory scans with the libraries that BuildKit and
// Docker use for them. It reads cases as JSON from stdin and writes the answers, in the same order, to stdout.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	gofs "io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

type scan struct {
	Root        string   `json:"root"`
	Include     []string `json:"include"`
	Exclude     []string `json:"exclude"`
	FollowPaths []string `json:"followPaths"`
}

type cases struct {
	IgnoreFiles []string    `json:"ignoreFiles"`
	Names       [][2]string `json:"names"`
	Patterns    []struct {
		Patterns []string `json:"patterns"`
		Paths    []string `json:"paths"`
	} `json:"patterns"`
	Dockerignores []struct {
		Text  string   `json:"text"`
		Paths []string `json:"paths"`
	} `json:"dockerignores"`
	Follows []scan `json:"follows"`
	Scans   []scan `json:"scans"`
}

// Each answer is what the library returned, or "error".
type answers struct {
	IgnoreFiles   []any `json:"ignoreFiles"`
	Names         []any `json:"names"`
	Patterns      []any `json:"patterns"`
	Dockerignores []any `json:"dockerignores"`
	Follows       []any `json:"follows"`
	Scans         []any `json:"scans"`
}

const failed = "error"

func main() {
	var in cases
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	var out answers
	for _, text := range in.IgnoreFiles {
		out.IgnoreFiles = append(out.IgnoreFiles, readIgnoreFile(text))
	}
	for _, name := range in.Names {
		matched, err := filepath.Match(name[0], name[1])
		out.Names = append(out.Names, orFailed(matched, err))
	}
	for _, c := range in.Patterns {
		out.Patterns = append(out.Patterns, matchPaths(c.Patterns, c.Paths))
	}
	for _, c := range in.Dockerignores {
		out.Dockerignores = append(out.Dockerignores, ignored(c.Text, c.Paths))
	}
	for _, c := range in.Follows {
		out.Follows = append(out.Follows, follow(c))
	}
	for _, c := range in.Scans {
		out.Scans = append(out.Scans, walk(c))
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		panic(err)
	}
}

func orFailed(value any, err error) any {
	if err != nil {
		return failed
	}
	return value
}

func readIgnoreFile(text string) any {
	patterns, err := ignorefile.ReadAll(strings.NewReader(text))
	if patterns == nil {
		patterns = []string{}
	}
	return orFailed(patterns, err)
}

// ignored reads a .dockerignore file as Docker does, and says what it ignores.
func ignored(text string, paths []string) any {
	patterns, err := ignorefile.ReadAll(strings.NewReader(text))
	if err != nil {
		return failed
	}
	return matchPaths(patterns, paths)
}

// matchPaths gives two digits for each path: its match on its own, and that with the results of its parents.
func matchPaths(patterns, paths []string) any {
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return failed
	}
	results := []string{}
	for _, path := range paths {
		alone, err := matcher.MatchesOrParentMatches(path)
		results = append(results, digit(alone, err)+digit(matchFromRoot(matcher, path)))
	}
	return strings.Join(results, " ")
}

func matchFromRoot(matcher *patternmatcher.PatternMatcher, path string) (matched bool, err error) {
	var info patternmatcher.MatchInfo
	components := strings.Split(path, "/")
	for i := range components {
		matched, info, err = matcher.MatchesUsingParentResults(strings.Join(components[:i+1], "/"), info)
		if err != nil {
			return false, err
		}
	}
	return matched, nil
}

func digit(matched bool, err error) string {
	if err != nil {
		return "e"
	}
	if matched {
		return "1"
	}
	return "0"
}

func follow(c scan) any {
	fs, err := fsutil.NewFS(c.Root)
	if err != nil {
		return failed
	}
	paths, err := fsutil.FollowLinks(fs, c.FollowPaths)
	if paths == nil {
		paths = []string{}
	}
	return orFailed(paths, err)
}

func walk(c scan) any {
	fs, err := fsutil.NewFS(c.Root)
	if err != nil {
		return failed
	}
	fs, err = fsutil.NewFilterFS(fs, &fsutil.FilterOpt{IncludePatterns: c.Include, ExcludePatterns: c.Exclude, FollowPaths: c.FollowPaths})
	if err != nil {
		return failed
	}
	lines := []string{}
	err = fsutil.WithHardlinkReset(fs).Walk(context.Background(), "", func(path string, entry gofs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		lines = append(lines, line(info.Sys().(*types.Stat)))
		return nil
	})
	return orFailed(lines, err)
}

func line(stat *types.Stat) string {
	return fmt.Sprintf("%s|%o|%d|%d|%s|%d:%d", stat.Path, stat.Mode, stat.Size, stat.ModTime, stat.Linkname, stat.Devmajor, stat.Devminor)
}
