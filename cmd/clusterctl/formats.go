package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/schema"
	"github.com/clusterctl/clusterctl/schema/policy"
)

// write prints a review in a format.
func (d *diffRun) write(format string, r *review.Review) error {
	rename := fromTop(d.dir, d.repo.top)
	switch format {
	case "text":
		return render.Review(d.stdout, r, d.look(d.stdout))
	case "json":
		return d.printJSON(r)
	case "markdown":
		return render.MarkdownReview(d.stdout, relocated(r, rename), d.comment())
	case "html":
		return render.HTMLReview(d.stdout, relocated(r, rename), d.depends, d.comment())
	}
	all := problemAnnotations(d.problems, rename)
	if err := d.annotate(format, append(all, render.Annotations(relocated(r, rename))...)); err != nil {
		return err
	}
	if format == "github" {
		fmt.Fprintln(d.stdout, render.ReviewSummary(r))
	}
	return nil
}

// writeProblems prints why there is no review, for formats that workflows read.
// People have read it on stderr.
func (d *diffRun) writeProblems(format string) error {
	problems := problemAnnotations(d.problems, fromTop(d.dir, d.repo.top))
	switch format {
	case "text", "json":
		return nil
	case "markdown":
		return render.MarkdownProblems(d.stdout, problems, d.comment())
	case "html":
		return render.HTMLProblems(d.stdout, problems, d.comment())
	}
	return d.annotate(format, problems)
}

// comment names the spec as seen from the repository's root, wherever the
// command was run.
func (d *diffRun) comment() render.Comment {
	spec := fromTop(d.dir, d.repo.top)(d.String("spec"))
	command := []string{"clusterctl", "diff"}
	if spec != "." {
		command = append(command, "--spec", spec)
	}
	if d.Bool("allow-shrink") {
		command = append(command, "--allow-shrink")
	}
	command = append(command, d.base.Commit)
	if d.head.Commit != "" {
		command = append(command, d.head.Commit)
	}
	return render.Comment{Name: "diff " + spec, Command: quoted(command)}
}

// writePlan prints a plan, of which data is the JSON, in a format.
func (sh *shell) writePlan(format string, plan *engine.Plan, data []byte, command string, c *cli.Context) error {
	switch format {
	case "json":
		_, err := sh.stdout.Write(data)
		return err
	case "markdown":
		return render.MarkdownPlan(sh.stdout, plan, sh.commentOn(c, command))
	case "html":
		return render.HTMLPlan(sh.stdout, plan, sh.commentOn(c, command))
	case "github", "sarif", "gitlab":
		return sh.planOnLines(format, plan, nil)
	}
	return render.Plan(sh.stdout, plan, sh.look(sh.stdout))
}

// commentOn names the directory or file of a command as seen from the
// repository's root.
func (sh *shell) commentOn(c *cli.Context, command string) render.Comment {
	dir, err := os.Getwd()
	arg := cmp.Or(c.Args().First(), ".")
	if err == nil {
		arg = fromTop(dir, topOf(dir))(arg)
	}
	words := []string{"clusterctl", command}
	if command == "apply" {
		return render.Comment{Name: command + " " + arg} // is not done again
	}
	for _, flag := range []string{"target", "exclude"} {
		for _, pattern := range c.StringSlice(flag) {
			words = append(words, "--"+flag, pattern)
		}
	}
	if c.Bool("allow-shrink") {
		words = append(words, "--allow-shrink")
	}
	for _, limit := range maxCost(c) {
		words = append(words, "--max-cost", limit.String())
	}
	if dir := c.String("policy"); dir != "" {
		words = append(words, "--policy", dir)
	}
	return render.Comment{Name: command + " " + arg, Command: quoted(append(words, arg))}
}

// quoted is a command as a shell takes it.
func quoted(words []string) string {
	words = slices.Clone(words)
	for i, w := range words {
		if !unquoted.MatchString(w) {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

var unquoted = regexp.MustCompile(`^[A-Za-z0-9_./=:@-]+$`)

// annotate prints annotations in a format of a forge.
func (sh *shell) annotate(format string, all []render.Annotation) error {
	switch format {
	case "github":
		return render.GitHub(sh.stdout, all)
	case "sarif":
		return render.SARIF(sh.stdout, all, render.Tool{Version: version(), Rules: ruleSentences})
	}
	return render.CodeQuality(sh.stdout, all)
}

// ruleSentences say what each kind of problem and each rule of a review means.
var ruleSentences = func() map[string]string {
	all := map[string]string{
		schema.KindLimit:        "A value is outside what the cloud documents.",
		schema.KindUnknownField: "The schema does not have this name.",
		schema.KindMissingField: "A required field has no value.",
		schema.KindConflict:     "Two statements cannot both hold.",
		schema.KindSyntax:       "This is not CUE, or CUE that a spec may not use.",
		schema.KindReference:    "A name or import leads nowhere.",
		schema.KindSecret:       "A secret is not a proper reference.",
		schema.KindProvider:     "A providers entry, its plugin, kind, endpoint or timing is not usable.",
		policy.Kind:             "A policy does not hold.",
	}
	for rule, sentence := range render.Rules {
		all[rule] = sentence
	}
	return all
}()

// problemAnnotations are what a forge shows of problems: the errors first.
func problemAnnotations(problems []schema.Problem, rename func(string) string) []render.Annotation {
	var all []render.Annotation
	for _, p := range problems {
		a := render.Annotation{Level: render.LevelError, Rule: p.Kind, Title: p.Kind, File: p.File, Line: p.Line,
			Column: character(p.Text, p.Column), EndColumn: character(p.Text, p.EndColumn),
			Subject: strings.Join([]string{p.Cluster, p.Entry, p.Path, p.Message}, "\n")}
		if p.Severity == schema.Warning {
			a.Level = render.LevelWarning
		}
		if a.File != "" {
			a.File = rename(a.File)
		}
		lines := []string{p.Message}
		if about := cmp.Or(p.Cluster, p.Entry); about != "" {
			lines = append(lines, strings.TrimSuffix("in "+about+", "+p.Path, ", "))
		}
		if p.Limit != "" {
			lines = append(lines, "limit from "+p.Limit)
		}
		lines = append(lines, p.Notes...)
		if p.Hint != "" {
			lines = append(lines, "help: "+p.Hint)
		}
		a.Message = strings.Join(lines, "\n")
		all = append(all, a)
	}
	slices.SortStableFunc(all, func(a, b render.Annotation) int { return compare(string(a.Level), string(b.Level)) })
	return all
}

// character turns a column in bytes into one in characters.
func character(line string, column int) int {
	if column < 1 || column-1 > len(line) {
		return column
	}
	return utf8.RuneCountInString(line[:column-1]) + 1
}

// topOf is the root of the repository around dir, or dir itself outside of one.
func topOf(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// fromTop names files of dir as seen from the repository's root, as forges do.
func fromTop(dir, top string) func(string) string {
	return func(file string) string {
		path := filepath.FromSlash(file)
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		name, err := filepath.Rel(top, path)
		if err != nil {
			return file
		}
		return filepath.ToSlash(name)
	}
}

// relocated is a review whose places are files as the forge names them.
func relocated(r *review.Review, rename func(string) string) *review.Review {
	names := map[string]string{}
	move := func(p review.Place) review.Place {
		if p.File == "" {
			return p
		}
		if names[p.File] == "" {
			names[p.File] = rename(p.File)
		}
		p.File = names[p.File]
		return p
	}
	moved := *r
	moved.Clusters, moved.Causes = slices.Clone(r.Clusters), slices.Clone(r.Causes)
	for i := range moved.Clusters {
		c := &moved.Clusters[i]
		c.Place, c.Fields = move(c.Place), slices.Clone(c.Fields)
		for j := range c.Fields {
			c.Fields[j].Cause = move(c.Fields[j].Cause)
		}
	}
	for i := range moved.Causes {
		moved.Causes[i].Place = move(moved.Causes[i].Place)
	}
	return &moved
}
