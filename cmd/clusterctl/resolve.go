package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/schema"
)

func (sh *shell) resolveCommand() *cli.Command {
	return &cli.Command{
		Name: "resolve", Usage: "show the evidence of an unsettled request, and take a person's decision", ArgsUsage: "CLUSTER [DIR]",
		Description: "Shows what was sent when, what was there before and what the cluster shows now. apply settles such a\n" +
			"   request by itself wherever it can; what it cannot tell, a person closes with --applied or --not-applied\n" +
			"   and a --reason that stands in history. Nothing is sent, and nothing further is sent to the cluster\n" +
			"   before the request can no longer arrive.",
		Flags: []cli.Flag{
			pluginDirFlag(), storeFlag(), formatFlag("text or json"),
			&cli.BoolFlag{Name: "applied", Usage: "close it: the request was carried out"},
			&cli.BoolFlag{Name: "not-applied", Usage: "close it: the request was not carried out"},
			&cli.StringFlag{Name: "reason", Usage: "why, for history: `TEXT`"},
		},
		Action: sh.resolve,
	}
}

func (sh *shell) resolve(c *cli.Context) error {
	format, err := oneOf(c, "format", "text", "json")
	if err != nil {
		return err
	}
	verdict, err := decision(c)
	if err != nil {
		return err
	}
	ctx, stop := sh.interruptible(c.Context)
	defer stop()
	a, cluster, done, err := sh.unsettledCluster(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	ev, err := a.Examine(ctx, cluster)
	if errors.Is(err, engine.ErrSettled) {
		fmt.Fprintf(sh.stdout, "%s: nothing is unsettled.\n", cluster.Address)
		return nil
	}
	if err != nil {
		return err
	}
	if format == "json" {
		err = sh.printJSON(ev)
	} else {
		err = render.Evidence(sh.stdout, cluster.Address, ev, sh.look(sh.stdout))
	}
	if err == nil && verdict == journal.Unknown && format == "text" {
		err = render.Choices(sh.stdout, cluster.Address)
	}
	if err != nil || verdict == journal.Unknown {
		return errors.Join(err, quietly(exitUnknown))
	}
	by := whoAmI() + ": " + c.String("reason")
	if err := a.Decide(ctx, ev, verdict, by); err != nil {
		return err
	}
	fmt.Fprintf(sh.stdout, "Closed as %s. Plan again to see what is left.\n", decisionWords[verdict])
	return nil
}

var decisionWords = map[journal.Verdict]string{journal.Done: "applied", journal.None: "not applied"}

// decision reads the flags; Unknown means that only the evidence is wanted.
func decision(c *cli.Context) (journal.Verdict, error) {
	applied, not := c.Bool("applied"), c.Bool("not-applied")
	switch {
	case applied && not:
		return "", exitf(exitError, "--applied and --not-applied exclude each other")
	case !applied && !not:
		return journal.Unknown, nil
	case strings.TrimSpace(c.String("reason")) == "":
		return "", exitf(exitError, "a decision needs a --reason; it stands in history")
	case applied:
		return journal.Done, nil
	}
	return journal.None, nil
}

// unsettledCluster starts what is needed to look at the one cluster that the
// arguments name.
func (sh *shell) unsettledCluster(ctx context.Context, c *cli.Context) (*engine.Applier, *engine.Cluster, func(), error) {
	if n := c.Args().Len(); n < 1 || n > 2 {
		return nil, nil, nil, exitf(exitError, "name one cluster of the spec: clusterctl %s CLUSTER [DIR]", c.Command.Name)
	}
	address, _, _ := strings.Cut(c.Args().First(), "/")
	fleet, problems := schema.Load(schema.Options{Dir: ".", Pattern: path.Clean(c.Args().Get(1)), Getenv: sh.getenv})
	if err := schema.WriteText(sh.stderr, problems, sh.colour(sh.stderr)); err != nil {
		return nil, nil, nil, err
	}
	elsewhere := ""
	if c.Args().Len() == 1 {
		elsewhere = fmt.Sprintf("if the spec is in another folder, name it: clusterctl %s %s DIR", c.Command.Name, address)
	}
	if fleet == nil && elsewhere != "" {
		return nil, nil, nil, exitf(exitError, "%s", elsewhere)
	}
	if fleet == nil || schema.Failed(problems) {
		return nil, nil, nil, quietly(exitError)
	}
	at := slices.IndexFunc(fleet.Clusters, func(cl *schema.Cluster) bool { return cl.Address == address })
	if at < 0 {
		text := fmt.Sprintf("the spec has no cluster %q; it has %s", address, names(fleet))
		if elsewhere != "" {
			text += "; " + elsewhere
		}
		return nil, nil, nil, exitf(exitError, "%s", text)
	}
	cl := fleet.Clusters[at]
	cluster := wanted(cl)
	store, err := sh.peekStore(c)
	if err != nil {
		return nil, nil, nil, err
	}
	if store == nil {
		return nil, nil, nil, exitf(exitError, "there is no store, so nothing was sent from here; name another with --store")
	}
	s, err := sh.start(ctx, c, entriesOf(fleet, []*engine.Cluster{cluster}))
	if err != nil {
		return nil, nil, nil, err
	}
	a := &engine.Applier{Entries: s.entries, Store: store, Holder: journal.Self(sh.command, time.Now())}
	return a, cluster, s.close, nil
}

func whoAmI() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "somebody"
}

func (sh *shell) unlockCommand() *cli.Command {
	return &cli.Command{
		Name: "unlock", Usage: "show who holds a cluster's lock", ArgsUsage: "CLUSTER [DIR]",
		Description: "Locks in files die with their process, so there is nothing to clear: a lock that is held belongs to a\n" +
			"   process that lives, and is never taken from it. Lock files are never removed.",
		Flags:  []cli.Flag{pluginDirFlag(), storeFlag()},
		Action: sh.unlock,
	}
}

func (sh *shell) unlock(c *cli.Context) error {
	ctx, stop := sh.interruptible(c.Context)
	defer stop()
	a, cluster, done, err := sh.unsettledCluster(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	holder, err := a.HolderOf(ctx, cluster)
	if err != nil {
		return err
	}
	if holder != nil {
		return exitf(exitLocked, "%s is locked by %s. The process lives: wait for it, or stop it there", cluster.Address, holder)
	}
	fmt.Fprintf(sh.stdout, "%s is not locked.\n", cluster.Address)
	return nil
}
