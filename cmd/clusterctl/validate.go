package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/schema"
)

func targetFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "target", Usage: "only clusters of this `NAME` or pattern (*, ?); repeatable"},
		&cli.StringSliceFlag{Name: "exclude", Usage: "leave out clusters of this `NAME` or pattern; repeatable"},
	}
}

func formatFlag(words string) cli.Flag {
	return &cli.StringFlag{Name: "format", Value: "text", Usage: "output `FORMAT`: " + words}
}

// load reads the spec that the command's argument names, "." without one.
// Problems are written to stderr; with an error among them the run ends.
func (sh *shell) load(c *cli.Context) (*schema.Fleet, error) {
	fleet, _, err := sh.loadWarned(c)
	return fleet, err
}

// loadWarned is load with the warnings that it wrote.
func (sh *shell) loadWarned(c *cli.Context) (*schema.Fleet, []schema.Problem, error) {
	if err := wantArgs(c, 1); err != nil {
		return nil, nil, err
	}
	fleet, problems := schema.Load(schema.Options{Dir: ".", Pattern: c.Args().First(), Getenv: sh.getenv})
	if len(problems) > 0 {
		if err := schema.WriteText(sh.stderr, problems, sh.colour(sh.stderr)); err != nil {
			return nil, nil, err
		}
	}
	if fleet == nil || schema.Failed(problems) {
		return nil, nil, &unusable{problems}
	}
	return fleet, problems, nil
}

// choose applies --target and --exclude and gives the clusters the engine's
// form.
func choose(c *cli.Context, fleet *schema.Fleet) ([]*engine.Cluster, error) {
	targets, excludes := c.StringSlice("target"), c.StringSlice("exclude")
	for _, list := range [][]string{targets, excludes} {
		for _, pattern := range list {
			if !slices.ContainsFunc(fleet.Clusters, func(cl *schema.Cluster) bool { return matches(pattern, cl.Address) }) {
				return nil, noMatch(pattern, fleet)
			}
		}
	}
	var chosen []*engine.Cluster
	for _, cl := range fleet.Clusters {
		hit := func(pattern string) bool { return matches(pattern, cl.Address) }
		if len(targets) > 0 && !slices.ContainsFunc(targets, hit) || slices.ContainsFunc(excludes, hit) {
			continue
		}
		chosen = append(chosen, wanted(cl))
	}
	if len(chosen) == 0 && len(fleet.Clusters) > 0 {
		return nil, exitf(exitError, "--target and --exclude leave no cluster; the spec has %s", names(fleet))
	}
	return chosen, nil
}

// noMatch says what else the spec has. A group's address is not cut down to its
// cluster: the run would then change other groups than the one that was named.
func noMatch(pattern string, fleet *schema.Fleet) error {
	cluster, group, isGroup := strings.Cut(pattern, "/")
	if isGroup && group != "" && slices.ContainsFunc(fleet.Clusters, func(cl *schema.Cluster) bool { return matches(cluster, cl.Address) }) {
		return exitf(exitError, "%q names a group; name its cluster %q, all groups of which are planned together", pattern, cluster)
	}
	return exitf(exitError, "no cluster matches %q; the spec has %s", pattern, names(fleet))
}

func matches(pattern, address string) bool {
	ok, err := path.Match(pattern, address)
	return ok && err == nil || pattern == address
}

func names(fleet *schema.Fleet) string {
	var list []string
	for _, cl := range fleet.Clusters {
		list = append(list, cl.Address)
	}
	return few(list)
}

func (sh *shell) validateCommand() *cli.Command {
	return &cli.Command{
		Name: "validate", Usage: "check a spec offline against every documented limit", ArgsUsage: "[DIR]",
		Description: "Evaluates the CUE package in DIR (default: the working directory) with the packages above it,\n" +
			"   and tells every problem at once. Starts no plugin and needs no network.\n" +
			"   With --watch it does so again whenever a file of the module changes, until ^C (exit 130): a terminal shows\n" +
			"   the newest report, a file or pipe gets one after the other, with the time; json is a line for each.",
		Flags: []cli.Flag{formatFlag("text, json, github, sarif or gitlab"),
			&cli.BoolFlag{Name: "watch", Usage: "validate again whenever a file changes"}},
		Action: func(c *cli.Context) error {
			format, err := oneOf(c, "format", "text", "json", "github", "sarif", "gitlab")
			if err != nil {
				return err
			}
			if err := wantArgs(c, 1); err != nil {
				return err
			}
			if c.Bool("watch") {
				return sh.watch(c, format)
			}
			fleet, problems := schema.Load(schema.Options{Dir: ".", Pattern: c.Args().First(), Getenv: sh.getenv})
			failed := fleet == nil || schema.Failed(problems)
			switch format {
			case "json":
				return sh.validateJSON(fleet, problems, failed)
			case "github", "sarif", "gitlab":
				return sh.validateLines(format, fleet, problems, failed)
			}
			if len(problems) > 0 {
				if err := schema.WriteText(sh.stderr, problems, sh.colour(sh.stderr)); err != nil {
					return err
				}
			}
			if !failed {
				fmt.Fprintf(sh.stdout, "%s valid.\n", plural(fleet.Total, "cluster is", "clusters are"))
				return nil
			}
			fmt.Fprintf(sh.stderr, "\n%s\n", verdict(fleet, problems))
			return quietly(exitError)
		},
	}
}

// verdict counts what is wrong and what is not: "2 errors in 1 file; 41 clusters
// are fine".
func verdict(fleet *schema.Fleet, problems []schema.Problem) string {
	errors, files, wrong := 0, map[string]bool{}, map[string]bool{}
	for _, p := range problems {
		if p.Severity == schema.Error {
			errors++
			files[p.File], wrong[p.Cluster] = true, true
		}
	}
	text := plural(errors, "error", "errors")
	if delete(files, ""); len(files) > 0 {
		text += " in " + plural(len(files), "file", "files")
	}
	if fleet == nil {
		return text
	}
	fine := 0
	for _, c := range fleet.Clusters {
		if !wrong[c.Address] { // sound by itself, and wrong beside the others
			fine++
		}
	}
	if fine > 0 {
		text += "; " + plural(fine, "cluster is", "clusters are") + " fine"
	}
	return text
}

func (sh *shell) validateJSON(fleet *schema.Fleet, problems []schema.Problem, failed bool) error {
	if err := sh.printJSON(validity(fleet, problems)); err != nil {
		return err
	}
	if failed {
		return quietly(exitError)
	}
	return nil
}

// validity is what validate says as JSON.
func validity(fleet *schema.Fleet, problems []schema.Problem) any {
	report := struct {
		FormatVersion string           `json:"format_version"`
		Valid         bool             `json:"valid"`
		Clusters      int              `json:"clusters"`
		SpecDigest    string           `json:"spec_digest,omitempty"`
		Problems      []schema.Problem `json:"problems"`
	}{FormatVersion: "1.0", Valid: fleet != nil && !schema.Failed(problems), Problems: problems}
	if report.Problems == nil {
		report.Problems = []schema.Problem{}
	}
	if fleet != nil {
		report.Clusters, report.SpecDigest = fleet.Total, fleet.Digest
	}
	return report
}

// validateLines tells problems in a form that forges show beside the lines.
func (sh *shell) validateLines(format string, fleet *schema.Fleet, problems []schema.Problem, failed bool) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := sh.annotate(format, problemAnnotations(problems, fromTop(dir, topOf(dir)))); err != nil {
		return err
	}
	if failed {
		fmt.Fprintln(sh.stderr, verdict(fleet, problems))
		return quietly(exitError)
	}
	return nil
}

func (sh *shell) printJSON(v any) error {
	enc := json.NewEncoder(sh.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
