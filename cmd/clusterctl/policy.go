package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/schema"
	"github.com/clusterctl/clusterctl/schema/policy"
)

// guardPolicy is the guard that policies are in a plan.
const guardPolicy = "policy"

func policyFlag() cli.Flag {
	return &cli.StringFlag{Name: "policy", Usage: "hold plans against the policies in `DIR` instead of those in policy/ at the module's root"}
}

// policies are what a command holds plans against, with what came of it.
type policies struct {
	set    *policy.Set // nil: there are none
	report *policy.Report
	fault  error // a plan that cannot be judged
}

// policiesAt reads the policies of the module at root, or those that --policy
// names. Only commands with that flag hold plans against policies.
func (sh *shell) policiesAt(c *cli.Context, root string) (*policies, error) {
	if !slices.ContainsFunc(c.Command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), "policy") }) {
		return &policies{}, nil
	}
	if c.IsSet("policy") && c.String("policy") == "" {
		return nil, exitf(exitError, "--policy takes a directory, not an empty name")
	}
	set, problems := policy.Load(policy.Options{Dir: ".", Root: root, From: c.String("policy")})
	if len(problems) == 0 {
		return &policies{set: set}, nil
	}
	if err := schema.WriteText(sh.stderr, problems, sh.colour(sh.stderr)); err != nil {
		return nil, err
	}
	return nil, &unusable{problems}
}

// moduleRoot is the root of the module that the working directory is in, or the
// working directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return policy.ModuleRoot(dir), nil
}

// judge holds a plan against the policies. What cannot be judged is denied.
func (p *policies) judge(plan *engine.Plan) []engine.Denied {
	if p.set.Len() == 0 {
		return nil
	}
	data, err := plan.Marshal()
	if err == nil {
		p.report, err = p.set.Check(data)
	}
	if err != nil {
		p.fault = err
		return []engine.Denied{{Address: "the plan", Guard: guardPolicy, Reason: err.Error()}}
	}
	var all []engine.Denied
	for _, f := range p.report.Failures {
		d := engine.Denied{Address: f.Address, Guard: guardPolicy, Source: f.Source, Reason: fmt.Sprintf("%s (%s)", f.Reason(), f.Constraint)}
		if f.Action == "" {
			d.Address, d.Source, d.Reason = "the plan", f.Constraint, f.Reason()
		}
		all = append(all, d)
	}
	return all
}

// tell says on stderr which policies do not hold, or that all do.
func (sh *shell) tell(p *policies) error {
	switch {
	case p.set.Len() == 0 || p.report == nil && p.fault == nil:
		return nil
	case p.fault != nil:
		_, err := fmt.Fprintf(sh.stderr, "the policies cannot be held against the plan: %v\n", p.fault)
		return err
	case len(p.report.Failures) > 0:
		return schema.WriteText(sh.stderr, p.report.Problems("."), sh.colour(sh.stderr))
	}
	_, err := fmt.Fprintln(sh.stderr, sh.dim(plural(p.set.Len(), "policy holds.", "policies hold.")))
	return err
}

// dim is text that people need not read.
func (sh *shell) dim(text string) string {
	if !sh.colour(sh.stderr) {
		return text
	}
	return "\x1b[2m" + text + "\x1b[0m"
}

// hold holds a saved plan against the policies of today: they may be stricter
// than those that it was made under.
func (r *applyRun) hold(plan *engine.Plan) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	p, err := r.policiesAt(r.Context, root)
	if err != nil {
		return err
	}
	r.denied = p.judge(plan)
	if err := r.tell(p); err != nil || len(r.denied) == 0 {
		return err
	}
	return exitf(exitDenied, "nothing was sent: %s", broken(p))
}

// broken counts the policies that do not hold.
func broken(p *policies) string {
	if p.report == nil {
		return "the policies cannot be held against the plan"
	}
	rules := map[string]bool{}
	for _, f := range p.report.Failures {
		rules[f.Rule] = true
	}
	return fmt.Sprintf("%d of %s not hold", len(rules), plural(p.set.Len(), "policy does", "policies do"))
}

func (sh *shell) policyCommand() *cli.Command {
	return &cli.Command{
		Name: "policy", Usage: "try policies on saved plans",
		Subcommands: []*cli.Command{{
			Name: "test", Usage: "hold saved plans against policies", ArgsUsage: "PLAN…",
			Description: "Judges each saved plan by the CUE files in policy/ at the module's root, as plan and apply do, and\n" +
				"   names rules that no action met. Starts no plugin and needs no network. Exit 7 when a plan is denied.\n" +
				"   With --deny RULE each plan must be denied by that rule, else the exit code is 1: a test of the rule.\n" +
				"   A plan may be one that was changed by hand.",
			Flags: []cli.Flag{policyFlag(), formatFlag("text or json"),
				&cli.StringSliceFlag{Name: "deny", Usage: "`RULE` must deny every plan; repeatable"}},
			Action: sh.policyTest,
		}},
	}
}

func (sh *shell) policyTest(c *cli.Context) error {
	format, err := oneOf(c, "format", "text", "json")
	if err != nil {
		return err
	}
	if c.Args().Len() == 0 {
		return exitf(exitError, "policy test takes saved plans: clusterctl policy test PLAN…")
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	p, err := sh.policiesAt(c, root)
	if err != nil {
		return err
	}
	if p.set.Len() == 0 {
		return exitf(exitError, "there are no policies in %s; name their directory with --policy DIR", fromHereTo(filepath.Join(root, policy.Dir)))
	}
	wanted := c.StringSlice("deny")
	for _, rule := range wanted {
		if !slices.Contains(p.set.Names(), rule) {
			return exitf(exitError, "there is no rule %q; the policies have %s", rule, strings.Join(p.set.Names(), ", "))
		}
	}
	t := &policyTrial{shell: sh, policies: p, wanted: wanted, quiet: format == "json"}
	for _, file := range c.Args().Slice() {
		if err := t.try(file, c.Args().Len() > 1); err != nil {
			return err
		}
	}
	return t.end(format)
}

// fromHereTo names a directory as people in the working directory write it.
func fromHereTo(dir string) string {
	here, err := os.Getwd()
	if err != nil {
		return dir
	}
	if name, err := filepath.Rel(here, dir); err == nil {
		return name
	}
	return dir
}
