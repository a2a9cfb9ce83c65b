package cloudsim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// counter is a cloud that holds one number: POST /add raises it, GET /n reads.
type counter struct {
	opts cloudsim.Options
	n    int
	v    int
}

func newCounter(opts cloudsim.Options) cloudsim.Cloud { return &counter{opts: opts} }

func (c *counter) Name() string { return "counter" }
func (c *counter) Advance()     {}
func (c *counter) Version() int { return c.v }
func (c *counter) Call(r *http.Request) cloudsim.Call {
	return cloudsim.Call{Name: strings.TrimPrefix(r.URL.Path, "/"), Cluster: r.URL.Query().Get("cluster"), Changes: r.Method == "POST"}
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == "POST" {
		body, _ := io.ReadAll(r.Body)
		c.n += len(body)
		c.v++
		c.opts.Log.Record(r.Context(), cloudsim.Entry{Event: "request", Call: "add"})
	}
	fmt.Fprint(w, c.n)
}

func (c *counter) State() ([]byte, error)     { return json.Marshal(c.n) }
func (c *counter) Restore(state []byte) error { c.v++; return json.Unmarshal(state, &c.n) }
func (c *counter) Refuse(w http.ResponseWriter, f cloudsim.Fault) {
	http.Error(w, "refused "+f.Kind, max(f.Status, 429))
}

func (c *counter) Drift(d cloudsim.Drift) error {
	if d.Add < 0 {
		return errors.New("cannot add less than nothing")
	}
	c.n += d.Add
	c.v++
	return nil
}

type world struct {
	*testing.T
	now  time.Time
	sim  *cloudsim.Server
	http *httptest.Server
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	w.sim = cloudsim.NewServer(cloudsim.Options{Now: func() time.Time { return w.now }, History: 8}, newCounter)
	w.http = httptest.NewServer(w.sim)
	w.http.Config.ErrorLog = nil
	t.Cleanup(w.http.Close)
	return w
}

// ask returns status and body, or "cut" when the connection broke.
func (w *world) ask(method, path, body string) string {
	w.Helper()
	req, err := http.NewRequest(method, w.http.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return "cut"
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return "cut"
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, strings.TrimSpace(string(b)))
}

func (w *world) expect(want, method, path, body string) {
	w.Helper()
	if got := w.ask(method, path, body); got != want {
		w.Errorf("%s %s %q: got %q, want %q", method, path, body, got, want)
	}
}

func TestFaults(t *testing.T) {
	for _, test := range []struct {
		fault  string
		answer string // to POST /add "x"
		after  string // GET /n then
	}{
		{`{"kind": "drop_before"}`, "cut", "200 0"},
		{`{"kind": "drop_after"}`, "cut", "200 1"},
		{`{"kind": "error_before", "status": 503}`, "503 refused error_before", "200 0"},
		{`{"kind": "error_after", "status": 500}`, "500 refused error_after", "200 1"},
		{`{"kind": "throttle"}`, "429 refused throttle", "200 0"},
		{`{"kind": "garbage"}`, "200 <html><body>bad gateway", "200 1"},
		{`{"kind": "slow", "delay": "1ms"}`, "200 1", "200 1"},
		{`{"kind": "job_fails"}`, "200 1", "200 1"},
		{`{"kind": "drop_before", "call": "other"}`, "200 1", "200 1"},
		{`{"kind": "drop_before", "cluster": "c9"}`, "200 1", "200 1"},
	} {
		t.Run(test.fault, func(t *testing.T) {
			w := newWorld(t)
			w.expect(`200 "ok"`, "POST", "/_sim/faults", test.fault)
			w.expect(test.answer, "POST", "/add", "x")
			w.expect(test.after, "GET", "/n", "")
		})
	}
}

func TestSkipAndTimes(t *testing.T) {
	w := newWorld(t)
	w.expect(`200 "ok"`, "POST", "/_sim/faults", `[{"kind": "throttle", "skip": 1, "times": 2}]`)
	var got []string
	for range 5 {
		got = append(got, w.ask("POST", "/add", "x")[:3])
	}
	if diff := cmp.Diff([]string{"200", "429", "429", "200", "200"}, got); diff != "" {
		t.Error(diff)
	}
	w.expect("200 []", "GET", "/_sim/faults", "")
	for range 3 {
		w.sim.Inject(cloudsim.Fault{Kind: cloudsim.Throttle, Times: -1})
	}
	for range 4 {
		w.expect("429 refused throttle", "POST", "/add", "x")
	}
	w.expect(`200 "ok"`, "DELETE", "/_sim/faults", "")
	w.expect("200 4", "POST", "/add", "x")
}

func TestHeldRequestIsDoneLate(t *testing.T) {
	w := newWorld(t)
	w.expect(`200 "ok"`, "POST", "/_sim/faults", `{"kind": "hold", "delay": "1h"}`)
	w.expect("cut", "POST", "/add", "xyz")
	w.expect("200 0", "GET", "/n", "")
	w.now = w.now.Add(time.Hour)
	w.sim.Release()
	w.expect("200 3", "GET", "/n", "")
}

func TestStaleRead(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(time.Minute)
	w.expect("200 1", "POST", "/add", "x")
	w.now = w.now.Add(time.Minute)
	w.expect("200 2", "POST", "/add", "x")
	w.now = w.now.Add(time.Second)
	for back, want := range map[string]string{"30s": "200 1", "90s": "200 0", "1h": "200 0", "1s": "200 2"} {
		w.expect(`200 "ok"`, "POST", "/_sim/faults", fmt.Sprintf(`{"kind": "stale", "delay": %q}`, back))
		w.expect(want, "GET", "/n", "")
	}
	w.expect("200 2", "GET", "/n", "")
}

func TestAdmin(t *testing.T) {
	w := newWorld(t)
	w.expect("200 []", "GET", "/_sim/audit", "")
	w.expect("200 []", "GET", "/_sim/faults", "")
	w.ask("POST", "/add", "ab")
	w.ask("GET", "/n", "")
	w.expect("200 2", "GET", "/_sim/state", "")
	w.expect(`200 "ok"`, "PUT", "/_sim/state", "7")
	w.expect("200 7", "GET", "/n", "")
	w.expect(`200 "ok"`, "POST", "/_sim/drift", `{"add": 5}`)
	w.expect("200 12", "GET", "/n", "")
	w.expect("400 cannot add less than nothing", "POST", "/_sim/drift", `{"add": -1}`)
	w.expect("400 the drift changes nothing; it takes add, remove, set or delete", "POST", "/_sim/drift", `{"cluster": "c", "group": "g"}`)
	w.expect(`400 json: unknown field "kind"`, "POST", "/_sim/drift", `{"kind": "add"}`)
	w.expect(`400 more follows the JSON value`, "POST", "/_sim/drift", `{"add": 1} {"add": 1}`)
	w.expect(`400 json: unknown field "time"`, "POST", "/_sim/faults", `{"kind": "throttle", "time": 2}`)
	w.expect(`400 json: unknown field "time"`, "POST", "/_sim/faults", `[{"kind": "throttle", "time": 2}]`)
	w.expect("200 []", "GET", "/_sim/faults", "")
	w.expect("200 12", "GET", "/n", "")
	w.expect("400 no fault kind \"nonsense\"; there are [drop_before drop_after hold error_before error_after throttle garbage slow stale job_fails job_partial]",
		"POST", "/_sim/faults", `{"kind": "nonsense"}`)
	w.expect("400 hold needs a delay", "POST", "/_sim/faults", `{"kind": "hold"}`)
	w.expect("404 404 page not found", "GET", "/_sim/nonsense", "")
	if diff := cmp.Diff(map[string]int{"add": 1, "n": 4}, w.sim.Log().Calls()); diff != "" {
		t.Error(diff)
	}
	if e := w.sim.Log().Entries(); len(e) != 1 || e[0].Seq != 1 || e[0].Call != "add" {
		t.Errorf("audit log %+v", e)
	}
}

func TestOnChange(t *testing.T) {
	w := newWorld(t)
	var states []string
	w.sim.OnChange = func(state []byte) { states = append(states, string(state)) }
	w.ask("POST", "/add", "ab")
	w.ask("GET", "/n", "")
	w.ask("POST", "/add", "c")
	if diff := cmp.Diff([]string{"2", "3"}, states); diff != "" {
		t.Error(diff)
	}
}
