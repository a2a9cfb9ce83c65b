package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine/journal"
)

func storeFlag() cli.Flag {
	return &cli.StringFlag{Name: "store", EnvVars: []string{"CCTL_STORE"}, Usage: "keep locks, open requests and history in `DIR` (default: $XDG_STATE_HOME/clusterctl)"}
}

func storeDir(c *cli.Context) (string, error) {
	if dir := c.String("store"); dir != "" {
		return dir, nil
	}
	return journal.DefaultDir()
}

// peekStore opens the store for reading; nil when there is none.
func (sh *shell) peekStore(c *cli.Context) (journal.Store, error) {
	dir, err := storeDir(c)
	if err != nil {
		return nil, err
	}
	store, err := sh.taps.openStore(dir, journal.CreateNo)
	if errors.Is(err, journal.ErrMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return store, nil
}

// openStore opens the store for apply. A missing one is made only when
// somebody says so: requests that a lost store knew of may still arrive.
func (sh *shell) openStore(ctx context.Context, c *cli.Context) (journal.Store, error) {
	dir, err := storeDir(c)
	if err != nil {
		return nil, err
	}
	mode := journal.CreateNo
	switch value := c.String("new-store"); value {
	case "":
	case "wait":
		mode = journal.CreateWait
	case "now":
		mode = journal.CreateNow
	default:
		return nil, exitf(exitError, "--new-store takes wait or now, not %q", value)
	}
	store, err := sh.taps.openStore(dir, mode)
	if !errors.Is(err, journal.ErrMissing) {
		return store, err
	}
	if !terminal(sh.stdin) {
		return nil, exitf(exitError, "there is no store in %s. A first run passes --new-store=wait (or =now when nothing is under way on these clusters); "+
			"if there was a store before, restore it or name it with --store", dir)
	}
	fmt.Fprintf(sh.stderr, "There is no store in %s yet. It records what is sent, so that nothing is sent twice.\n"+
		"Type now to make one if nothing is under way on these clusters. Type wait if an earlier store\n"+
		"may be lost: each cluster then waits until requests of that store can no longer arrive.\n"+
		"now or wait: ", dir)
	answer, err := sh.readLine(ctx)
	if err != nil {
		return nil, err
	}
	switch answer {
	case "wait":
		return sh.taps.openStore(dir, journal.CreateWait)
	case "now":
		return sh.taps.openStore(dir, journal.CreateNow)
	}
	return nil, exitf(exitDenied, "no store was made; nothing was sent")
}
