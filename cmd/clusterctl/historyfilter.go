package main

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

func historyFilterFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "cluster", Usage: "only requests to clusters of this `NAME` or pattern (*, ?); repeatable"},
		&cli.StringSliceFlag{Name: "group", Usage: "only to groups of this `NAME` or pattern; repeatable"},
		&cli.StringSliceFlag{Name: "provider", Usage: "only of the entry or plugin of this `NAME` or pattern; repeatable"},
		&cli.StringSliceFlag{Name: "op", Usage: "only of this `OP`: create, scale_out, scale_in, resize or guard; repeatable"},
		&cli.StringSliceFlag{Name: "verdict", Usage: "only with this `VERDICT`: done, partial, none, drifted or open; repeatable"},
		&cli.StringFlag{Name: "plan", Usage: "only of the plan whose digest begins with `DIGEST`"},
		&cli.StringFlag{Name: "who", Usage: "only what `WHO` sent or closed: user, host or user@host, or a pattern"},
		&cli.StringFlag{Name: "since", Usage: "only from `TIME` on: 2026-11-21, 2026-11-21T10:31:07Z, or how long ago, such as 24h or 7d"},
		&cli.StringFlag{Name: "until", Usage: "only up to `TIME`, a whole day included"},
		&cli.IntFlag{Name: "limit", DefaultText: "all", Usage: "only the newest `N`"},
	}
}

const openVerdict = "open"

var (
	historyOps      = []string{string(provider.OpCreate), string(provider.OpScaleOut), string(provider.OpScaleIn), string(provider.OpResize), string(journal.OpGuard)}
	historyVerdicts = []string{string(journal.Done), string(journal.Partial), string(journal.None), string(journal.Drifted), openVerdict}
)

// historyFilter is which requests are wanted. What is empty does not matter.
type historyFilter struct {
	clusters, groups, providers []string // patterns
	ops, verdicts               []string
	plan, who                   string
	since, until                time.Time
	limit                       int
}

func newHistoryFilter(c *cli.Context, now time.Time) (*historyFilter, error) {
	f := &historyFilter{clusters: c.StringSlice("cluster"), groups: c.StringSlice("group"), providers: c.StringSlice("provider"),
		plan: strings.ToLower(strings.TrimPrefix(c.String("plan"), "sha256:")), who: c.String("who"), limit: c.Int("limit")}
	for _, patterns := range [][]string{f.clusters, f.groups, f.providers, {f.who}} {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil {
				return nil, exitf(exitError, "%q is no pattern: a [ needs its ]", p)
			}
		}
	}
	var err error
	if f.ops, err = wordsOf(c, "op", historyOps); err != nil {
		return nil, err
	}
	if f.verdicts, err = wordsOf(c, "verdict", historyVerdicts); err != nil {
		return nil, err
	}
	if f.since, err = momentOf(c, "since", now); err != nil {
		return nil, err
	}
	if f.until, err = momentOf(c, "until", now); err != nil {
		return nil, err
	}
	if !f.until.IsZero() && isDay(c.String("until")) {
		f.until = f.until.AddDate(0, 0, 1).Add(-1)
	}
	switch {
	case f.limit < 0 || f.limit == 0 && c.IsSet("limit"):
		return nil, exitf(exitError, "--limit takes a number from 1 up, not %d", f.limit)
	case !f.since.IsZero() && !f.until.IsZero() && f.until.Before(f.since):
		return nil, exitf(exitError, "--until %s is before --since %s", c.String("until"), c.String("since"))
	}
	return f, nil
}

// wordsOf checks a flag that takes some of a few words, written as in JSON or
// as in text.
func wordsOf(c *cli.Context, flag string, words []string) ([]string, error) {
	var chosen []string
	for _, value := range c.StringSlice(flag) {
		word := strings.NewReplacer("-", "_", " ", "_").Replace(value)
		if !slices.Contains(words, word) {
			last := len(words) - 1
			return nil, exitf(exitError, "--%s takes %s or %s, not %q", flag, strings.Join(words[:last], ", "), words[last], value)
		}
		chosen = append(chosen, word)
	}
	return chosen, nil
}

// momentOf reads a moment, a day in UTC, as all our times are, or how long ago
// it was.
func momentOf(c *cli.Context, flag string, now time.Time) (time.Time, error) {
	value := c.String(flag)
	if value == "" && !c.IsSet(flag) {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			return t, nil
		}
	}
	if ago, err := longAgo(value); err == nil {
		return now.Add(-ago), nil
	}
	return time.Time{}, exitf(exitError, "--%s takes 2026-11-21, 2026-11-21T10:31:07Z, or how long ago, such as 24h or 7d, not %q", flag, value)
}

func isDay(value string) bool {
	_, err := time.Parse(time.DateOnly, value)
	return err == nil
}

// longAgo is a duration in which d stands for days and w for weeks, too.
func longAgo(value string) (time.Duration, error) {
	for unit, of := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if digits, ok := strings.CutSuffix(value, unit); ok {
			n, err := strconv.ParseUint(digits, 10, 64)
			if err == nil && n > uint64(math.MaxInt64/of) {
				err = fmt.Errorf("%s is longer ago than any clock tells", value)
			}
			return time.Duration(n) * of, err
		}
	}
	d, err := time.ParseDuration(value)
	if err == nil && d < 0 {
		err = fmt.Errorf("%s is in the future", value)
	}
	return d, err
}

// idle reports that no flag leaves anything out.
func (f *historyFilter) idle() bool {
	return len(f.clusters)+len(f.groups)+len(f.providers)+len(f.ops)+len(f.verdicts) == 0 && f.plan == "" && f.who == "" &&
		f.since.IsZero() && f.until.IsZero()
}

func (f *historyFilter) wants(r *render.Request) bool {
	verdict := string(r.Verdict)
	if r.Closed == nil {
		verdict = openVerdict
	}
	return among(f.clusters, r.Cluster) && among(f.groups, r.Group) && among(f.providers, r.Provider, r.Plugin) &&
		(len(f.ops) == 0 || slices.Contains(f.ops, string(r.Op))) && (len(f.verdicts) == 0 || slices.Contains(f.verdicts, verdict)) &&
		strings.HasPrefix(strings.TrimPrefix(r.PlanDigest, "sha256:"), f.plan) && f.whose(r) &&
		!r.When().Before(f.since) && (f.until.IsZero() || !r.When().After(f.until))
}

// among reports that one of the names fits one of the patterns, or that there
// are none.
func among(patterns []string, names ...string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return matches(p, name) })
	})
}

func (f *historyFilter) whose(r *render.Request) bool {
	if f.who == "" {
		return true
	}
	people := []string{r.Who}
	if r.Closed != nil {
		people = append(people, r.Closed.Who)
	}
	return slices.ContainsFunc(people, func(who string) bool {
		user, host, _ := strings.Cut(who, "@")
		return who != "" && among([]string{f.who}, who, user, host)
	})
}

// shortestOp is how much of an op has to be given: as much as the table shows.
const shortestOp = 8

// narrow leaves in h what is wanted. The argument is an address, or else an op,
// which is then returned: flags do not hide what was asked for by name.
func (f *historyFilter) narrow(h *render.History, arg string) (*render.Request, error) {
	ours := func(r render.Request) bool { return arg == "" || r.Address == arg || r.Cluster == arg }
	if !slices.ContainsFunc(h.Requests, ours) {
		found := slices.DeleteFunc(slices.Clone(h.Requests), func(r render.Request) bool {
			return r.OpID != arg && (len(arg) < shortestOp || !strings.HasPrefix(strings.ToUpper(r.OpID), strings.ToUpper(arg)))
		})
		switch len(found) {
		case 0:
		case 1:
			h.Requests = found
			return &h.Requests[0], nil
		default:
			return nil, exitf(exitError, "%d requests begin with %s; give more of the op: %s, %s …", len(found), arg, found[0].OpID, found[1].OpID)
		}
	}
	h.Requests = slices.DeleteFunc(h.Requests, func(r render.Request) bool { return !ours(r) || !f.wants(&r) })
	if f.limit > 0 {
		h.Requests = h.Requests[max(0, len(h.Requests)-f.limit):]
	}
	return nil, nil
}
