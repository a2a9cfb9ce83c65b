package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

var filterNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// filtered is what a command line leaves of a history, by the beginnings of the
// ops; "one: " before them stands for details.
func filtered(t *testing.T, h *render.History, args ...string) (ops []string, err error) {
	t.Helper()
	app := &cli.App{Flags: historyFilterFlags(), Writer: t.Output(), ErrWriter: t.Output(), Action: func(c *cli.Context) error {
		f, err := newHistoryFilter(c, filterNow)
		if err != nil {
			return err
		}
		one, err := f.narrow(h, c.Args().First())
		for _, r := range h.Requests {
			ops = append(ops, strings.TrimRight(r.OpID, "A"))
		}
		if one != nil {
			ops = []string{"one: " + strings.TrimRight(one.OpID, "A")}
		}
		return err
	}}
	return ops, app.RunContext(t.Context(), append([]string{"history"}, args...))
}

func filterHistory() *render.History {
	request := func(op, cluster, group, who string, ago time.Duration, change func(*render.Request)) render.Request {
		r := render.Request{OpID: op + strings.Repeat("A", 26-len(op)), Cluster: cluster, Group: group, Address: cluster + "/" + group,
			Provider: "hw", Plugin: "huawei", Op: provider.OpScaleOut, Who: who, PlanDigest: "sha256:ab12", Verdict: journal.Done,
			SentAt: filterNow.Add(-ago - time.Hour), Closed: &render.Closing{At: filterNow.Add(-ago), By: render.ClosedByRun, Who: who}}
		if change != nil {
			change(&r)
		}
		return r
	}
	const day = 24 * time.Hour
	return &render.History{Requests: []render.Request{
		request("B", "analytics", "core", "ops@ci-1", 40*day, nil),
		request("C", "analytics", "task", "ops@ci-2", 7*day, func(r *render.Request) { r.Op, r.Verdict = provider.OpScaleIn, journal.None }),
		request("D", "edge", "worker", "", 2*day, func(r *render.Request) {
			r.Provider, r.Plugin, r.PlanDigest = "ali", "aliyun", "sha256:ab34"
			r.Closed.By, r.Closed.Who = render.ClosedByPerson, "eve@laptop"
		}),
		request("E", "login", "", "root@ci-2", time.Hour, func(r *render.Request) { r.Op, r.Verdict, r.Address = provider.OpCreate, journal.Partial, "login" }),
		request("F", "login", "", "root@ci-2", 0, func(r *render.Request) {
			r.Closed, r.Verdict, r.SentAt = nil, journal.Unknown, filterNow.Add(-time.Minute)
		}),
	}}
}

func TestHistoryFilter(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"", "B C D E F"},
		{"analytics", "B C"},
		{"analytics/task", "C"},
		{"--cluster a*", "B C"}, {"--cluster edge --cluster login", "D E F"}, {"--cluster edge,login", "D E F"}, {"--cluster log", ""},
		{"--group core --group w*", "B D"},
		{"--provider hw", "B C E F"}, {"--provider aliyun", "D"},
		{"--op create", "E"}, {"--op scale-in", "C"}, {"--op scale_in,create", "C E"}, {"--op guard", ""},
		{"--verdict done", "B D"}, {"--verdict open", "F"}, {"--verdict partial --verdict none", "C E"},
		{"--plan ab3", "D"}, {"--plan sha256:AB1", "B C E F"}, {"--plan b12", ""},
		{"--who ops", "B C"}, {"--who ci-2", "C E F"}, {"--who ops@ci-1", "B"}, {"--who eve", "D"}, {"--who ci-*", "B C E F"}, {"--who o", ""},
		{"--since 7d", "C D E F"}, {"--since 167h", "D E F"}, {"--since 6w", "B C D E F"}, {"--since 2026-11-19", "D E F"},
		{"--since 2026-11-19T12:00:01Z", "E F"}, {"--since 0s", ""}, {"--since 59m", "F"},
		{"--until 7d", "B C"}, {"--until 2026-11-19", "B C D"}, {"--until 2026-11-18", "B C"}, {"--until 2026-11-19T20:00:00+08:00", "B C D"},
		{"--since 2026-11-19 --until 2026-11-19", "D"},
		{"--limit 2", "E F"}, {"--limit 99", "B C D E F"}, {"--limit 1 analytics", "C"}, {"--limit 1 --op create", "E"},
		{"CAAAAAAA", "one: C"}, {"caaaaaaa", "one: C"}, {"C" + strings.Repeat("A", 25), "one: C"}, {"--op create CAAAAAAA", "one: C"},
		{"CAAAAAA", ""}, {"nobody", ""}, {"analytics/nothing", ""},
	} {
		got, err := filtered(t, filterHistory(), strings.Fields(test.args)...)
		if diff := cmp.Diff(strings.Fields(test.want), got); strings.HasPrefix(test.want, "one") {
			if err != nil || !slices.Equal(got, []string{test.want}) {
				t.Errorf("%s: %q %v", test.args, got, err)
			}
		} else if err != nil || len(got)+len(strings.Fields(test.want)) > 0 && diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", test.args, err, diff)
		}
	}
}

func TestHistoryFilterRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"--op explode": `--op takes create, scale_out, scale_in, resize or guard, not "explode"`, "--verdict unknown": "--verdict takes done, partial, none, drifted or open",
		"--since -3h": "--since takes", "--since yesterday": "--since takes", "--since 1y": "--since takes", "--until 99999999999999w": "--until takes", "--since=": "--since takes",
		"--limit -1": "--limit takes a number from 1 up", "--limit 0": "--limit takes", "--since 1d --until 2d": "--until 2d is before --since 1d",
		"--cluster [a": "is no pattern", "--who [": "is no pattern",
	} {
		if _, err := filtered(t, filterHistory(), strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	twins := &render.History{Requests: []render.Request{{OpID: "SAMESAMEONE"}, {OpID: "SAMESAMETWO"}}}
	if _, err := filtered(t, twins, "samesame"); err == nil || !strings.Contains(err.Error(), "2 requests begin with samesame") {
		t.Errorf("%v", err)
	}
	if got, err := filtered(t, twins, "samesameo"); err != nil || len(got) != 1 {
		t.Errorf("%q %v", got, err)
	}
}

// JSON that is printed to a terminal holds nothing that the terminal obeys, and
// means what it meant.
func TestEscapingInJSON(t *testing.T) {
	const text = "节点 \u007f\u0085\u009b31m\u200e\u202e\u2066é"
	got := escaping.Replace(text)
	if want := `节点 \u007f\u0085\u009b31m\u200e\u202e\u2066é`; got != want {
		t.Errorf("got %q", got)
	}
}
