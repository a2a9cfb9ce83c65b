package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/render"
)

func (sh *shell) historyCommand() *cli.Command {
	return &cli.Command{
		Name: "history", Usage: "list the requests that were sent, with their verdicts", ArgsUsage: "[CLUSTER[/GROUP]|OP]",
		Description: "Reads the store, while an apply runs too, and lists who sent which request when, for which plan, what\n" +
			"   came of it and how it was closed; the newest last, open ones after all others. CLUSTER and CLUSTER/GROUP\n" +
			"   are addresses as they were when the request was sent. OP, or its beginning as the table shows it, is one\n" +
			"   request with everything that is known of it. Nothing is started, locked or sent.",
		Flags:  append(historyFilterFlags(), storeFlag(), formatFlag("text, json or markdown")),
		Action: sh.history,
	}
}

func (sh *shell) history(c *cli.Context) error {
	format, err := oneOf(c, "format", "text", "json", "markdown")
	if err != nil {
		return err
	}
	if err := wantArgs(c, 1); err != nil {
		return err
	}
	filter, err := newHistoryFilter(c, time.Now())
	if err != nil {
		return err
	}
	store, err := sh.peekStore(c)
	if err != nil {
		return err
	}
	run := &historyRun{shell: sh, Context: c, format: format, filter: filter}
	if store == nil {
		return run.nowhere()
	}
	h, err := recall(store)
	if err != nil {
		return err
	}
	return run.tell(h)
}

// recall reads everything that a store remembers; what of it cannot be trusted
// are faults.
func recall(store journal.Store) (*render.History, error) {
	h := &render.History{FormatVersion: render.HistoryVersion, Requests: []render.Request{}, Faults: []render.Fault{}}
	// What is open is read first: a request that is closed meanwhile stands in
	// history then, and in none of both otherwise.
	open, corrupt, err := store.Open()
	if err != nil {
		return nil, err
	}
	closed := map[string]bool{}
	take := func(r journal.Remembered) bool {
		if r.Fault != "" {
			h.Faults = append(h.Faults, render.Fault{Kind: render.FaultLine, Line: r.Line, Message: fmt.Sprintf("line %d of history cannot be trusted: %s", r.Line, r.Fault)})
		}
		if r.Intent.OpID != "" {
			closed[r.Intent.OpID] = true
			h.Requests = append(h.Requests, render.ClosedRequest(r))
		}
		return true
	}
	var torn *journal.TornError
	err = recallLines(store, take)
	switch {
	case errors.As(err, &torn):
		h.Faults = append(h.Faults, render.Fault{Kind: render.FaultCut, Line: torn.Line, Message: torn.Error()})
	case err != nil:
		return nil, err
	}
	for _, bad := range corrupt {
		h.Faults = append(h.Faults, render.Fault{Kind: render.FaultOpen, Message: "an open request: " + bad.Error()})
	}
	slices.SortStableFunc(open, func(a, b journal.Intent) int { return a.SignedAt.Compare(b.SignedAt) })
	for _, in := range open {
		if !closed[in.OpID] {
			h.Requests = append(h.Requests, render.OpenRequest(in))
		}
	}
	return h, nil
}

// recallLines reads history line by line, where the store has lines.
func recallLines(store journal.Store, take func(journal.Remembered) bool) error {
	if files, ok := store.(*journal.FileStore); ok {
		return files.Recall(take)
	}
	return store.History(func(r journal.Record) bool { return take(journal.Remembered{Record: r}) })
}

// historyRun is one history.
type historyRun struct {
	*shell
	*cli.Context
	format string
	filter *historyFilter
}

// nowhere says that there is no store, which may be the wrong one's name or a
// first run's.
func (r *historyRun) nowhere() error {
	dir, err := storeDir(r.Context)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("There is no store in %s. If there is one elsewhere, name it with --store.", dir)
	if r.format == "text" {
		_, err = fmt.Fprintln(r.stdout, text)
		return err
	}
	fmt.Fprintln(r.stderr, text)
	return r.write(&render.History{FormatVersion: render.HistoryVersion, Requests: []render.Request{}, Faults: []render.Fault{}})
}

// tell prints what the argument and the filters leave, and then what cannot be
// trusted.
func (r *historyRun) tell(h *render.History) error {
	one, err := r.filter.narrow(h, r.Args().First())
	if err != nil {
		return err
	}
	if one != nil && r.format == "text" {
		err = render.HistoryDetails(r.stdout, one, r.look(r.stdout))
	} else if one != nil && r.format == "markdown" {
		err = render.MarkdownRequest(r.stdout, one, r.comment())
	} else {
		err = r.write(h)
	}
	return errors.Join(err, r.faults(h.Faults))
}

func (r *historyRun) write(h *render.History) error {
	switch {
	case r.format == "json":
		return r.printHistory(h)
	case r.format == "markdown":
		return render.MarkdownHistory(r.stdout, h, r.comment())
	case len(h.Requests) == 0 && r.filter.idle() && r.Args().First() == "":
		fmt.Fprintln(r.stdout, "No requests were sent.")
		return nil
	case len(h.Requests) == 0:
		fmt.Fprintln(r.stdout, "No requests match.")
		return nil
	}
	return render.HistoryTable(r.stdout, h.Requests, r.look(r.stdout))
}

// faults tells what cannot be trusted. A line that a crash cut is told and is no
// error: what it was about is still open.
func (r *historyRun) faults(faults []render.Fault) error {
	const most = 10
	of := map[render.FaultKind]int{}
	for _, f := range faults {
		if of[f.Kind]++; of[f.Kind] <= most {
			fmt.Fprintln(r.stderr, "clusterctl: "+render.Clean(f.Message))
		}
	}
	if lines := of[render.FaultLine]; lines > 0 {
		if lines > most {
			fmt.Fprintf(r.stderr, "clusterctl: and %d more lines\n", lines-most)
		}
		return errors.New("history was changed, and nothing is sent with it; move the whole store away and begin a new one with: clusterctl apply --new-store=wait")
	}
	if of[render.FaultOpen] > 0 {
		return quietly(exitError)
	}
	return nil
}

// comment tells one comment of history from others by its argument.
func (r *historyRun) comment() render.Comment {
	words := []string{"clusterctl", "history"}
	for _, flag := range historyFilterFlags() {
		name := flag.Names()[0]
		values := r.StringSlice(name)
		if values == nil {
			values = []string{fmt.Sprint(r.Value(name))}
		}
		for _, value := range values {
			if r.IsSet(name) {
				words = append(words, "--"+name, value)
			}
		}
	}
	arg := r.Args().First()
	if arg != "" {
		words = append(words, arg)
	}
	return render.Comment{Name: strings.TrimSpace("history " + arg), Command: quoted(words)}
}

// printHistory writes JSON in which no terminal finds anything to obey: besides
// what JSON escapes itself, what controls one or turns the direction of writing.
func (r *historyRun) printHistory(h *render.History) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(h); err != nil {
		return err
	}
	_, err := escaping.WriteString(r.stdout, b.String())
	return err
}

// escaping writes out, as JSON may have any character of a string, those that
// terminals obey and that encoding/json leaves as they are.
var escaping = func() *strings.Replacer {
	var pairs []string
	for _, set := range []*unicode.RangeTable{unicode.Cc, unicode.Bidi_Control} {
		for _, span := range set.R16 {
			for c := rune(span.Lo); c <= rune(span.Hi); c += rune(span.Stride) {
				if c >= 0x7f {
					pairs = append(pairs, string(c), fmt.Sprintf(`\u%04x`, c))
				}
			}
		}
	}
	return strings.NewReplacer(pairs...)
}()
