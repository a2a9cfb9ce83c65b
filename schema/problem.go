package schema

import (
	"cmp"
	"slices"
)

// Severity of a Problem.
type Severity string

const (
	// Error: the spec cannot be used.
	Error Severity = "error"
	// Warning: it can, but somebody should look.
	Warning Severity = "warning"
)

// The kinds of problems. They are few and stable; docs/errors.md has a
// paragraph on each.
const (
	KindLimit        = "limit"         // a value outside what the cloud documents
	KindUnknownField = "unknown-field" // a name that the schema does not have
	KindMissingField = "missing-field" // a required field without a value
	KindConflict     = "conflict"      // two statements that cannot both hold
	KindSyntax       = "syntax"        // not CUE, or CUE that a spec may not use
	KindReference    = "reference"     // a name or import that leads nowhere
	KindSecret       = "secret"        // a secret that is not a proper reference
	KindProvider     = "provider"      // entry, plugin, kind, endpoint, timing
)

// Problem is one thing that is wrong, and where.
type Problem struct {
	Severity Severity `json:"severity"`
	Kind     string   `json:"kind"`
	// File is relative to the working directory; empty when no file is to
	// blame. Line and the columns count from 1, columns in bytes; EndColumn
	// is one past the last.
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
	Text      string `json:"text,omitempty"` // the line itself, secrets blotted out
	Message   string `json:"message"`
	Cluster   string `json:"cluster,omitempty"`
	Entry     string `json:"entry,omitempty"` // of providers, when that is what is wrong
	Path      string `json:"path,omitempty"`  // inside the cluster or the providers entry
	Limit     string `json:"limit,omitempty"` // the document that states the limit
	Hint      string `json:"hint,omitempty"`
	// Notes are further facts, such as the other position of a conflict.
	Notes []string `json:"notes,omitempty"`
}

// Failed says whether one of problems is an error.
func Failed(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == Error })
}

// sortProblems orders by file and line and drops repetitions: a mistake in a
// template is found once for every cluster made of it, but is one mistake.
func sortProblems(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message), cmp.Compare(a.Cluster, b.Cluster))
	})
	type key struct {
		file, kind, message, path string
		line, column              int
	}
	var out []Problem
	seen := map[key]int{}
	also := map[int][]string{}
	for _, p := range problems {
		k := key{p.File, p.Kind, p.Message, p.Path, p.Line, p.Column}
		at, again := seen[k]
		if again && p.File != "" {
			if p.Cluster != "" && p.Cluster != out[at].Cluster {
				also[at] = append(also[at], p.Cluster)
			}
			continue
		}
		seen[k] = len(out)
		out = append(out, p)
	}
	for at, clusters := range also {
		out[at].Notes = append(out[at].Notes, "the same in "+someOf(slices.Compact(clusters)))
	}
	return out
}
