package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/schema"
)

// unusable is a spec with errors, which people have read on stderr.
type unusable struct{ problems []schema.Problem }

func (*unusable) Error() string { return "" }

// onLines are the formats that forges show beside lines of the spec.
func onLines(format string) bool {
	return slices.Contains([]string{"github", "sarif", "gitlab"}, format)
}

// stopped prints, in formats that workflows read, why a command ended before it
// had anything to show: the comment of an earlier run would else stay and be
// believed. People read it on stderr. The error is handed on.
func (sh *shell) stopped(format, command string, c *cli.Context, err error, denied []engine.Denied) error {
	var spec *unusable
	var all []render.Annotation
	rename := sh.fromHere()
	switch {
	case err == nil || format != "markdown" && format != "html" && !onLines(format):
		return err
	case errors.As(err, &spec):
		all = problemAnnotations(spec.problems, rename)
	case len(denied) > 0:
		all = renamed(render.PlanAnnotations(&engine.Plan{Denied: denied}), rename)
	case err.Error() == "": // interrupted
		return err
	default:
		all = []render.Annotation{{Level: render.LevelError, Rule: render.RuleStopped, Title: ended[command], Message: err.Error()}}
	}
	var failed error
	switch {
	case onLines(format):
		failed = sh.annotate(format, all)
	case format == "html" && spec != nil:
		failed = render.HTMLProblems(sh.stdout, all, sh.commentOn(c, command))
	case format == "html":
		failed = render.HTMLStopped(sh.stdout, ended[command], all, sh.commentOn(c, command))
	case spec != nil:
		failed = render.MarkdownProblems(sh.stdout, all, sh.commentOn(c, command))
	default:
		failed = render.MarkdownStopped(sh.stdout, ended[command], all, sh.commentOn(c, command))
	}
	if failed != nil {
		return errors.Join(err, failed)
	}
	return err
}

// ended says what became of a command that stopped.
var ended = map[string]string{"plan": "There is no plan", "apply": "Nothing was sent"}

// fromHere names files of the working directory as forges do.
func (sh *shell) fromHere() func(string) string {
	dir, err := os.Getwd()
	if err != nil {
		return func(file string) string { return file }
	}
	return fromTop(dir, topOf(dir))
}

// renamed is annotations with their files as the forge names them.
func renamed(all []render.Annotation, rename func(string) string) []render.Annotation {
	for i := range all {
		if all[i].File != "" {
			all[i].File = rename(all[i].File)
		}
	}
	return all
}

// planOnLines prints what a plan does to lines of the spec, after what is odd
// about the spec itself.
func (sh *shell) planOnLines(format string, plan *engine.Plan, problems []schema.Problem) error {
	rename := sh.fromHere()
	all := append(problemAnnotations(problems, rename), renamed(render.PlanAnnotations(plan), rename)...)
	if err := sh.annotate(format, all); err != nil || format != "github" {
		return err
	}
	_, err := fmt.Fprintln(sh.stdout, render.Summary(plan))
	return err
}

// resultOnLines prints what went wrong in an apply on the lines that asked for
// it.
func (r *applyRun) resultOnLines(result *engine.Result, plan *engine.Plan) error {
	if err := r.annotate(r.format, renamed(render.ResultAnnotations(result, plan), r.fromHere())); err != nil || r.format != "github" {
		return err
	}
	_, err := fmt.Fprintln(r.stdout, render.ResultSummary(result))
	return err
}
