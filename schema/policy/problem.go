package policy

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/schema"
)

// Kind is the kind of problem that a broken rule is; docs/errors.md has a
// paragraph on it.
const Kind = "policy"

// Problems are the failures as people read them, each with the action's line of
// the spec where that is at hand. dir is what the plan's file names are relative
// to. Several actions that break a rule at one line are told once.
func (r *Report) Problems(dir string) []schema.Problem {
	type key struct{ rule, source, constraint string }
	var problems []schema.Problem
	index := map[key]int{}
	also := map[int][]string{}
	for _, f := range r.Failures {
		k := key{f.Rule, f.Source, f.Constraint}
		if at, again := index[k]; again && f.Source != "" {
			also[at] = append(also[at], f.Address)
			continue
		}
		index[k] = len(problems)
		problems = append(problems, f.problem(dir))
	}
	for at, addresses := range also {
		notes := problems[at].Notes
		problems[at].Notes = slices.Insert(notes, len(notes)-1, "the same in "+someOf(addresses))
	}
	return problems
}

func (f *Failure) problem(dir string) schema.Problem {
	p := f.at
	p.Severity, p.Kind = schema.Error, Kind
	subject, about := "the plan", f.Detail
	if f.Action != "" {
		p.File, p.Line, p.Column, p.EndColumn, p.Text = "", 0, 0, 0, ""
		p.File, p.Line, p.Column = place(f.Source)
		excerpt(&p, dir)
		subject = fmt.Sprintf("action %s, %s, %s", f.Action, f.Address, f.Change)
	}
	p.Message = f.Rule + ": " + f.Message
	if f.Message == "" {
		p.Message, about = f.Rule+": "+f.Detail, ""
	}
	if about != "" {
		subject += ": " + about
	}
	p.Notes = []string{subject, "rule " + f.Rule + ", " + f.Constraint}
	return p
}

// excerpt shows the line at which p stands. Saved plans come from anywhere, so
// that only CUE files are opened and no line is shown that may hold a password.
func excerpt(p *schema.Problem, dir string) {
	name := filepath.FromSlash(p.File)
	if p.Line == 0 || filepath.Ext(name) != ".cue" {
		return
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	name, err := filepath.EvalSymlinks(name)
	if err != nil || filepath.Ext(name) != ".cue" {
		return
	}
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return
	}
	offset := 0
	for range p.Line - 1 {
		n := bytes.IndexByte(src[offset:], '\n')
		if n < 0 {
			return
		}
		offset += n + 1
	}
	end := len(src)
	if n := bytes.IndexByte(src[offset:], '\n'); n >= 0 {
		end = offset + n
	}
	// The file is another than the plan was made from where it has no such column.
	if offset+p.Column-1 >= end || telling(string(src[offset:end])) {
		return
	}
	show(p, src, offset+p.Column-1)
}

var password = regexp.MustCompile(`(?i)\w*(?:password|passwd|secret|token)\w*"?[ \t]*[?!]?:[ \t]*(?:\{?[ \t]*(env|file)[ \t]*:[ \t]*)?#*"([^"]*)`)

// telling says whether a line has the text of a secret: a spec that was
// validated has references only, but the file may have changed since.
func telling(line string) bool {
	for _, m := range password.FindAllStringSubmatch(line, -1) {
		if m[1] != "file" && !strings.HasPrefix(m[2], "CCTL_SECRET_") {
			return true
		}
	}
	return false
}

// sorted orders problems by file and line and drops repetitions: what is wrong
// with something that two rules share is one mistake.
func sorted(problems []schema.Problem) []schema.Problem {
	slices.SortStableFunc(problems, func(a, b schema.Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(problems, func(a, b schema.Problem) bool {
		return a.File != "" && a.File == b.File && a.Line == b.Line && a.Column == b.Column && a.Message == b.Message
	})
}

// someOf lists names, the first eight when there are more.
func someOf(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
