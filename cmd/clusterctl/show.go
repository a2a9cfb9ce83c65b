package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/engine/topology"
)

func (sh *shell) showCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "print a saved plan, or the fleet that a spec describes", ArgsUsage: "[FILE|DIR]",
		Description: "With FILE a saved plan is printed as plan printed it. With DIR (default: the working directory) show\n" +
			"   prints the clusters of a spec, their groups, and which come first. Starts no plugin and needs no network.\n" +
			"   dot is for Graphviz; svg is a picture and html a page that need nothing else.",
		Flags:  append(targetFlags(), formatFlag("text, json, markdown, html, dot or svg; of a saved plan also github, sarif or gitlab")),
		Action: sh.present,
	}
}

func (sh *shell) present(c *cli.Context) error {
	format, err := oneOf(c, "format", "text", "json", "markdown", "html", "dot", "svg", "github", "sarif", "gitlab")
	if err != nil {
		return err
	}
	if err := wantArgs(c, 1); err != nil {
		return err
	}
	arg := c.Args().First()
	info, err := os.Stat(arg)
	if err == nil && !info.IsDir() || err != nil && strings.HasSuffix(arg, ".json") {
		return sh.presentPlan(format, arg, c)
	}
	return sh.presentSpec(format, c)
}

func (sh *shell) presentPlan(format, file string, c *cli.Context) error {
	for _, flag := range []string{"target", "exclude"} {
		if c.IsSet(flag) {
			return exitf(exitError, "--%s has no effect on a saved plan; give it to plan", flag)
		}
	}
	plan, err := readPlan(file)
	if err != nil {
		return err
	}
	if format == "dot" || format == "svg" {
		picture := topology.OfPlan(plan)
		picture.Title = strings.TrimSuffix(strings.Join(strings.Fields(render.Summary(plan)), " "), ".")
		return sh.writePicture(format, picture)
	}
	data, err := plan.Marshal()
	if err != nil {
		return err
	}
	return sh.writePlan(format, plan, data, "show", c)
}

func (sh *shell) presentSpec(format string, c *cli.Context) error {
	if onLines(format) {
		return exitf(exitError, "--format %s shows what a saved plan changes; for a spec, clusterctl validate --format %s shows its problems", format, format)
	}
	fleet, err := sh.load(c)
	if err != nil {
		return err
	}
	clusters, err := choose(c, fleet)
	if err != nil {
		return err
	}
	if format == "json" {
		return sh.printJSON(topology.OutlineOf(clusters, fleet.Digest))
	}
	picture := topology.OfSpec(clusters)
	switch format {
	case "dot", "svg":
		return sh.writePicture(format, picture)
	case "markdown":
		return render.MarkdownOutline(sh.stdout, picture, sh.commentOn(c, "show"))
	case "html":
		return render.HTMLSpec(sh.stdout, picture, sh.commentOn(c, "show"))
	}
	return render.Outline(sh.stdout, picture, sh.look(sh.stdout))
}

func (sh *shell) writePicture(format string, picture *topology.Topology) error {
	if format == "dot" {
		return picture.DOT(sh.stdout)
	}
	return picture.SVG(sh.stdout)
}

func readPlan(file string) (*engine.Plan, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, exitf(exitError, "no saved plan %s: %v", file, cause(err))
	}
	plan, err := engine.ReadPlan(bytes.TrimSpace(b))
	if errors.Is(err, engine.ErrNotAPlan) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return plan, err
}
