package main

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/render"
)

// refreshOnly is the flag that turns plan into a report.
const refreshOnly = "refresh-only"

func refreshOnlyFlag() cli.Flag {
	return &cli.BoolFlag{Name: refreshOnly, Usage: "say how live state differs from the spec, and why; propose nothing"}
}

// ofRefresh are the flags that have a meaning beside --refresh-only. All others
// of plan are about actions, of which there are none.
var ofRefresh = []string{refreshOnly, "target", "exclude", "plugin-dir", "store", "format", "json", "detailed-exitcode"}

// refresh reads live state as plan does and says how it differs from the spec
// and why, as far as history tells. It locks nothing.
func (sh *shell) refresh(c *cli.Context) error {
	for _, name := range c.LocalFlagNames() {
		if !slices.Contains(ofRefresh, name) {
			return exitf(exitError, "--%s has no meaning with --%s, which plans nothing", name, refreshOnly)
		}
	}
	format, err := oneOf(c, "format", "text", "json", "markdown")
	if err != nil {
		return err
	}
	if c.Bool("json") {
		format = "json"
	}
	ctx, stop := sh.interruptible(c.Context)
	defer stop()
	drift, err := sh.drift(ctx, c)
	if err != nil {
		return errors.Join(err, sh.driftStopped(format, c, err))
	}
	if err := sh.writeDrift(format, drift, c); err != nil {
		return err
	}
	return quietly(driftCode(drift, c.Bool("detailed-exitcode")))
}

// drift loads the spec that the argument names, reads its clusters and what the
// store remembers of them.
func (sh *shell) drift(ctx context.Context, c *cli.Context) (*engine.Drift, error) {
	fleet, err := sh.load(c)
	if err != nil {
		return nil, err
	}
	clusters, err := choose(c, fleet)
	if err != nil {
		return nil, err
	}
	s, err := sh.start(ctx, c, entriesOf(fleet, clusters))
	if err != nil {
		return nil, err
	}
	defer s.close()
	store, err := sh.peekStore(c)
	if err != nil {
		return nil, err
	}
	memory := engine.Memory{Began: time.Now()}
	reading := sh.startReading(len(clusters), len(s.entries))
	r := &engine.DriftReader{Entries: s.entries, Read: reading.step}
	seen, err := r.Observe(ctx, clusters)
	reading.end()
	if ctx.Err() != nil {
		return nil, quietly(exitInterrupted)
	}
	if err != nil {
		return nil, err
	}
	if store != nil {
		memory.History = historyOf(store)
		if memory.Intents, memory.Corrupt, err = store.Open(); err != nil {
			return nil, err
		}
	}
	drift := engine.DriftOf(s.entries, clusters, seen, memory)
	drift.SpecDigest = fleet.Digest
	return drift, nil
}

// historyOf is a store's history as a sequence, with its error at the end.
func historyOf(store journal.Store) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		more := true
		err := store.History(func(r journal.Record) bool {
			more = yield(r, nil)
			return more
		})
		if more && err != nil {
			yield(journal.Record{}, err)
		}
	}
}

func (sh *shell) writeDrift(format string, drift *engine.Drift, c *cli.Context) error {
	switch format {
	case "json":
		return sh.printJSON(drift)
	case "markdown":
		return render.MarkdownDrift(sh.stdout, drift, sh.driftComment(c))
	}
	return render.Drift(sh.stdout, drift, sh.look(sh.stdout))
}

// driftComment has a name of its own, beside that of a plan of the same spec.
func (sh *shell) driftComment(c *cli.Context) render.Comment {
	comment := sh.commentOn(c, "plan")
	comment.Name = "drift" + strings.TrimPrefix(comment.Name, "plan")
	comment.Command = strings.Replace(comment.Command, "clusterctl plan", "clusterctl plan --"+refreshOnly, 1)
	return comment
}

// driftStopped says in a comment why there is no report: that of an earlier run
// would else stay and be believed.
func (sh *shell) driftStopped(format string, c *cli.Context, err error) error {
	var spec *unusable
	switch {
	case format != "markdown":
		return nil
	case errors.As(err, &spec):
		return render.MarkdownProblems(sh.stdout, problemAnnotations(spec.problems, sh.fromHere()), sh.driftComment(c))
	case err.Error() == "": // interrupted
		return nil
	}
	const title = "Drift is not known"
	why := render.Annotation{Level: render.LevelError, Rule: render.RuleStopped, Title: title, Message: err.Error()}
	return render.MarkdownStopped(sh.stdout, title, []render.Annotation{why}, sh.driftComment(c))
}

// driftCode is how plan --refresh-only ends.
func driftCode(d *engine.Drift, detailed bool) int {
	switch {
	case len(d.Unread)+len(d.Ambiguous) > 0:
		return exitError
	case detailed && len(d.Clusters) > 0:
		return exitPending
	}
	return exitOK
}
