package render

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// remembered is a scale-in of analytics/task that was done after nine minutes,
// and then changed.
func remembered(change func(*journal.Remembered)) journal.Remembered {
	r := journal.Remembered{Line: 1}
	r.Intent = journal.Intent{
		OpID: "7NYSBNYKPVVOJOL4CDUZFG6NAB", PlanDigest: "sha256:9a067ed3aa00", ActionID: "a1", Who: "ops@ci-7",
		Identity: journal.Identity{Plugin: "huawei", Account: "project_id=p1 region=cn-north-4", ID: "c1"}, Entry: "hw", Kind: "mrs",
		Cluster: "analytics", Name: "分析", ClusterID: "c1", Group: "task", Op: provider.OpScaleIn,
		From: map[string]int64{"count": 3}, To: map[string]int64{"count": 2}, Base: []string{"n1", "n2", "n3"}, ReadAt: noon, SignedAt: noon.Add(time.Second),
		Answer: &journal.Answer{Outcome: provider.OutcomeAccepted, Handle: []byte("job-1"), RequestID: "req-1"},
	}
	r.Verdict, r.At, r.Detail, r.Closer = journal.Done, noon.Add(9*time.Minute), "2 nodes; 1 gone", "ops@ci-7"
	r.QuietUntil = r.At
	r.Removed = []journal.Node{{ID: "n3", Name: "task-3"}}
	if change != nil {
		change(&r)
	}
	return r
}

// manyRequests is one of each that looks otherwise.
func manyRequests() []Request {
	grow := func(r *journal.Remembered) {
		r.Intent.Op, r.Intent.Victims, r.Removed = provider.OpScaleOut, nil, nil
		r.Intent.From, r.Intent.To = map[string]int64{"count": 3}, map[string]int64{"count": 8}
	}
	return []Request{
		ClosedRequest(remembered(nil)),
		ClosedRequest(remembered(func(r *journal.Remembered) {
			grow(r)
			r.Detail, r.Foreign = "8 nodes; 5 new; the cloud says: 部分失败", []string{"n9"}
			for i := range 5 {
				r.Added = append(r.Added, journal.Node{ID: fmt.Sprint("n", 4+i)})
			}
		})),
		ClosedRequest(remembered(func(r *journal.Remembered) {
			r.Intent.Op, r.Intent.Group, r.Intent.ClusterID, r.Intent.Base, r.Removed = provider.OpCreate, "", "", nil, nil
			r.Intent.Answer.RequestID, r.Intent.Answer.Handle = "", []byte{0, 255}
			r.Detail, r.Added = "cluster c7", []journal.Node{{ID: "c7"}}
		})),
		ClosedRequest(remembered(func(r *journal.Remembered) { // as an earlier release wrote it
			grow(r)
			r.Intent.Who, r.Closer, r.Detail = "", "", "5 nodes; 2 new"
		})),
		ClosedRequest(remembered(func(r *journal.Remembered) {
			grow(r)
			r.Intent.Answer = &journal.Answer{Outcome: provider.OutcomeRefused, RequestID: "req-2", Code: "Quota", Message: "配额不足"}
			r.Verdict, r.Detail = journal.None, "refused: quota: Quota: 配额不足"
		})),
		ClosedRequest(remembered(func(r *journal.Remembered) {
			grow(r)
			r.Intent.Answer, r.By, r.Closer = nil, "root: ticket 4711: seen", "uid 0@ci-9"
			r.Detail, r.QuietUntil = "decided by a person; the cluster showed: running, 3 nodes", r.At.Add(time.Minute)
		})),
		ClosedRequest(remembered(func(r *journal.Remembered) {
			r.Intent = journal.Intent{OpID: "GUARDAAAAAA", PlanDigest: "sha256:9a067ed3aa00", Who: "ops@ci-7", Entry: "hw", Kind: "mrs", Cluster: "analytics", Op: journal.OpGuard}
			r.Detail, r.Removed, r.Guards = "protect set", nil, &journal.Guards{Protected: map[string]journal.Protection{"": {Source: "fleet.cue:3:1"}},
				MaxRemoved: map[string]journal.Budget{"core": {Count: 2, Per: "24h", Source: "fleet.cue:4:1"}}}
		})),
		ClosedRequest(remembered(func(r *journal.Remembered) {
			r.Intent = journal.Intent{OpID: "UNREADABLEA", Entry: "hw", Kind: "mrs", Cluster: "login"}
			r.By, r.Closer, r.Removed, r.Verdict, r.Detail = "ops: seen", "ops@ci-7", nil, journal.None, "decided by a person"
		})),
		ClosedRequest(remembered(func(r *journal.Remembered) { r.Fault = "the checksum does not match" })),
		OpenRequest(remembered(func(r *journal.Remembered) { grow(r); r.Intent.Answer, r.Intent.Inferred = nil, []byte("job-2") }).Intent),
	}
}

func TestHistoryTable(t *testing.T) {
	table := func(width int) string {
		var b strings.Builder
		if err := HistoryTable(&b, manyRequests(), Look{Width: width}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	golden(t, "history.txt", table(0))
	golden(t, "history-narrow.txt", table(100))
	for width := 40; width < 200; width += 7 {
		for line := range strings.Lines(table(width)) {
			if n := cells(strings.TrimRight(line, "\n")); n > width && width > 110 {
				t.Errorf("at width %d a line takes %d: %s", width, n, line)
			}
		}
	}
}

func TestHistoryDetails(t *testing.T) {
	var b strings.Builder
	for _, r := range manyRequests() {
		if err := HistoryDetails(&b, &r, Look{}); err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n")
	}
	golden(t, "history-details.txt", b.String())
}

func TestMarkdownHistory(t *testing.T) {
	var b strings.Builder
	h := &History{Requests: manyRequests(), Faults: []Fault{{Kind: FaultLine, Line: 3, Message: "line 3 of history cannot be trusted"}}}
	comment := Comment{Name: "history analytics", Command: "clusterctl history analytics"}
	if err := MarkdownHistory(&b, h, comment); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n")
	if err := MarkdownRequest(&b, &h.Requests[0], comment); err != nil {
		t.Fatal(err)
	}
	golden(t, "history.md", b.String())
}

// The newest are kept, and what is left out is counted.
func TestMarkdownHistoryOfNothing(t *testing.T) {
	var b strings.Builder
	if err := MarkdownHistory(&b, &History{}, Comment{Name: "history"}); err != nil || !strings.Contains(b.String(), "\n## No requests\n") {
		t.Errorf("%v:\n%s", err, b.String())
	}
}

func TestMarkdownHistoryFits(t *testing.T) {
	h := &History{}
	for i := range 5000 {
		h.Requests = append(h.Requests, ClosedRequest(remembered(func(r *journal.Remembered) { r.Intent.Cluster = fmt.Sprint("c", i) })))
	}
	var b strings.Builder
	if err := MarkdownHistory(&b, h, Comment{Name: "history"}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if len(text) > MarkdownLimit || !strings.Contains(text, "`c4999/task`") || strings.Contains(text, "`c0/task`") || !strings.Contains(text, "more requests, left out") {
		t.Errorf("%d bytes:\n%.600s…%s", len(text), text, text[max(0, len(text)-200):])
	}
}

// What people and clouds wrote into records obeys nobody's terminal, and stays
// where it belongs.
func TestHistoryIsSanitised(t *testing.T) {
	const nasty = "x\x1b]0;title\x07\x1b[2J\u009b31m\u202e\r\n|`</details>@everyone\x9b"
	for i, r := range manyRequests() {
		foul(reflect.ValueOf(&r).Elem(), nasty)
		for _, write := range []func(*bytes.Buffer) error{
			func(b *bytes.Buffer) error { return HistoryTable(b, []Request{r}, Look{}) },
			func(b *bytes.Buffer) error { return HistoryDetails(b, &r, Look{}) },
			func(b *bytes.Buffer) error {
				return MarkdownHistory(b, &History{Requests: []Request{r}, Faults: []Fault{{Message: nasty}}}, Comment{Name: nasty, Command: nasty})
			},
			func(b *bytes.Buffer) error { return MarkdownRequest(b, &r, Comment{Name: nasty, Command: nasty}) },
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			for _, c := range b.String() {
				if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)) {
					t.Fatalf("request %d: %q in\n%q", i, c, b.String())
				}
			}
			if strings.Contains(b.String(), "\n@") || strings.Contains(b.String(), "\n</details>") {
				t.Fatalf("request %d: a line was broken in\n%s", i, b.String())
			}
		}
	}
}

// foul puts text into every string of a value.
func foul(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() != reflect.TypeFor[provider.Op]() {
			v.SetString(v.String() + text)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			foul(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			foul(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != reflect.TypeFor[time.Time]() {
				foul(v.Field(i), text)
			}
		}
	}
}

func TestClosingTellsThePersonsMachine(t *testing.T) {
	for _, test := range []struct{ by, closer, who, reason string }{
		{"ops: seen", "uid 0@ci-7", "ops@ci-7", "seen"},
		{"ops: ticket: 4711", "", "ops", "ticket: 4711"},
		{"odd", "a@b", "odd@b", ""},
	} {
		r := ClosedRequest(remembered(func(r *journal.Remembered) { r.By, r.Closer = test.by, test.closer }))
		got := []string{string(r.Closed.By), r.Closed.Who, r.Closed.Reason}
		if diff := cmp.Diff([]string{"person", test.who, test.reason}, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", test.by, diff)
		}
	}
}
