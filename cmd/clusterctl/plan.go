package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/schema"
)

func compare(a, b string) int { return strings.Compare(a, b) }

func planFlags() []cli.Flag {
	return append(wholeFlags(), pluginDirFlag(), storeFlag(),
		&cli.BoolFlag{Name: "allow-shrink", Usage: "allow removals of more than 30 % of a group of ten or more nodes"},
		maxCostFlag(), policyFlag())
}

func (sh *shell) planCommand() *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "show what apply would change, from live state", ArgsUsage: "[DIR]",
		Description: "Validates the spec in DIR (default: the working directory), reads every cluster through its plugin and\n" +
			"   prints the actions that lead from what is live to what is wanted. Changes nothing.\n" +
			"   With --out FILE the plan is saved for: clusterctl apply FILE.\n" + aboutMaxCost,
		Flags: append(planFlags(), formatFlag("text, json, markdown, html, github, sarif or gitlab"),
			&cli.BoolFlag{Name: "json", Usage: "same as --format json"},
			&cli.StringFlag{Name: "out", Usage: "save the plan to `FILE`"},
			&cli.BoolFlag{Name: "detailed-exitcode", Usage: "exit 2 when changes are pending"}, refreshOnlyFlag()),
		Action: sh.plan,
	}
}

func (sh *shell) plan(c *cli.Context) error {
	if c.Bool(refreshOnly) {
		return sh.refresh(c)
	}
	format, err := oneOf(c, "format", "text", "json", "markdown", "html", "github", "sarif", "gitlab")
	if err != nil {
		return err
	}
	ctx, stop := sh.interruptible(c.Context)
	defer stop()
	now, err := sh.survey(ctx, c, sh.chooseWhole)
	if err != nil {
		return sh.stopped(format, "plan", c, err, nil)
	}
	plan := now.plan
	if c.String("out") != "" && now.store == nil {
		// Without history nothing else tells this approval from an earlier one.
		plan.Nonce = rand.Text()
		if err := plan.Seal(); err != nil {
			return err
		}
	}
	data, err := plan.Marshal()
	if err != nil {
		return err
	}
	if out := c.String("out"); out != "" {
		if err := saveFile(out, data); err != nil {
			return sh.stopped(format, "plan", c, err, nil)
		}
	}
	if c.Bool("json") {
		format = "json"
	}
	if onLines(format) {
		err = sh.planOnLines(format, plan, now.problems)
	} else {
		err = sh.writePlan(format, plan, data, "plan", c)
	}
	if err != nil {
		return err
	}
	if err := sh.tell(now.policies); err != nil {
		return err
	}
	if out := c.String("out"); out != "" && len(plan.Denied) > 0 {
		fmt.Fprintf(sh.stderr, "Saved to %s, to be shown and tested; apply refuses it, because it is denied.\n", out)
	} else if out != "" && !plan.Empty() {
		fmt.Fprintf(sh.stderr, "Saved to %s. Apply exactly this with: clusterctl apply %s\n", out, out)
	}
	return quietly(planCode(plan, c.Bool("detailed-exitcode")))
}

// survey is a spec held against live state.
type survey struct {
	clusters []*engine.Cluster
	seen     map[string]provider.Observation // by address
	plan     *engine.Plan
	store    journal.Store    // nil: there is none
	problems []schema.Problem // warnings about the spec
	policies *policies
}

// survey loads the spec that the argument names, reads the clusters chosen of it
// and plans.
// It changes nothing, and its plugins are gone when it returns.
func (sh *shell) survey(ctx context.Context, c *cli.Context, choose func(*cli.Context, *schema.Fleet) ([]*engine.Cluster, error)) (*survey, error) {
	fleet, problems, err := sh.loadWarned(c)
	if err != nil {
		return nil, err
	}
	now := &survey{problems: problems}
	if now.clusters, err = choose(c, fleet); err != nil {
		return nil, err
	}
	if now.policies, err = sh.policiesAt(c, fleet.Root); err != nil {
		return nil, err
	}
	s, err := sh.start(ctx, c, entriesOf(fleet, now.clusters))
	if err != nil {
		return nil, err
	}
	defer s.close()
	if now.store, err = sh.peekStore(c); err != nil {
		return nil, err
	}
	now.plan, now.seen, err = sh.makePlan(ctx, c, s, fleet, now.clusters, now.store, now.policies)
	return now, err
}

// makePlan reads live state, telling how far it is, and plans.
func (sh *shell) makePlan(ctx context.Context, c *cli.Context, s *session, fleet *schema.Fleet, clusters []*engine.Cluster, store journal.Store, held *policies) (*engine.Plan, map[string]provider.Observation, error) {
	p := &engine.Planner{Entries: s.entries, SpecDigest: fleet.Digest, AllowShrink: c.Bool("allow-shrink"), Quote: true, MaxCost: maxCost(c), Judge: held.judge}
	if store != nil {
		var err error
		p.Last, p.History = store.Last, store.History
		if p.Intents, p.Corrupt, err = store.Open(); err != nil {
			return nil, nil, err
		}
	}
	seen := map[string]provider.Observation{}
	reading := sh.startReading(len(clusters), len(s.entries))
	p.Read = func(o provider.Observation) {
		seen[o.Address] = o
		reading.step(o)
	}
	plan, err := p.Plan(ctx, clusters)
	reading.end()
	if ctx.Err() != nil {
		return nil, nil, quietly(exitInterrupted)
	}
	return plan, seen, err
}

// reading says on stderr how far a read of many clusters is.
type reading struct {
	w     io.Writer
	head  string
	live  bool
	total int
	n     int // answers
	read  int // those that tell the cluster's state
	begun time.Time
}

func (sh *shell) startReading(clusters, accounts int) *reading {
	r := &reading{w: sh.stderr, live: terminal(sh.stderr), total: clusters, begun: time.Now(),
		head: fmt.Sprintf("Reading %s from %s … ", plural(clusters, "cluster", "clusters"), plural(accounts, "account", "accounts"))}
	fmt.Fprint(r.w, r.head)
	return r
}

func (r *reading) step(o provider.Observation) {
	r.n++
	if o.Presence != provider.Unread {
		r.read++
	}
	if r.live && r.n%50 == 0 {
		fmt.Fprintf(r.w, "\r\x1b[K%s%d", r.head, r.n)
	}
}

func (r *reading) end() {
	if r.live {
		fmt.Fprintf(r.w, "\r\x1b[K%s", r.head)
	}
	of := ""
	if r.read < r.total {
		of = fmt.Sprintf(" of %d", r.total)
	}
	fmt.Fprintf(r.w, "%d%s read in %s\n", r.read, of, render.Span(time.Since(r.begun)))
}

// saveFile writes a file whole or not at all.
func saveFile(path string, data []byte) error {
	if path == "/dev/stdout" {
		_, err := os.Stdout.Write(data)
		return err
	}
	// It is written beside path first; that name would tell nobody anything.
	if err := maybe.WriteFile(path, data, 0o600); err != nil {
		return exitf(exitError, "the plan cannot be saved to %s: %v", path, cause(err))
	}
	return nil
}
