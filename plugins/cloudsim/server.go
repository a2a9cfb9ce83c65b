package cloudsim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server serves one simulated cloud with faults, and its admin calls:
//
//	GET    /_sim/audit    the audit log, a JSON list of Entry
//	GET    /_sim/calls    how often each API call came in
//	GET    /_sim/faults   the faults that still wait
//	POST   /_sim/faults   add one Fault or a list
//	DELETE /_sim/faults   drop all
//	POST   /_sim/drift    change something from outside: a Drift
//	GET    /_sim/state    the whole state
//	PUT    /_sim/state    replace it
type Server struct {
	// OnChange, when set, is called with the whole state after it changed.
	OnChange func(state []byte)

	mu     sync.Mutex // guards all below and the cloud
	cloud  Cloud
	opts   Options
	past   func(at time.Duration) Cloud
	faults []*Fault
	held   []held
	states []snapshot
	seen   int
}

type held struct {
	due time.Time
	req *http.Request
}

type snapshot struct {
	at    time.Time
	state []byte
}

// NewServer makes a Server. make builds the cloud from options; it is called
// again, with a clock set back, for stale reads.
func NewServer(opts Options, build func(Options) Cloud) *Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = &Log{}
	}
	s := &Server{cloud: build(opts), opts: opts, seen: -1}
	s.past = func(back time.Duration) Cloud {
		old := opts
		old.Now = func() time.Time { return opts.Now().Add(-back) }
		if old.AcceptWindow > 0 {
			old.AcceptWindow += back // signatures are of today
		}
		old.Log = &Log{}
		return build(old)
	}
	s.changed()
	return s
}

// Log is the audit log.
func (s *Server) Log() *Log { return s.opts.Log }

// Cloud calls f with the simulated cloud while no request runs.
func (s *Server) Cloud(f func(Cloud)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cloud.Advance()
	f(s.cloud)
	s.changed()
}

// Inject adds faults.
func (s *Server) Inject(faults ...Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if err := f.check(); err != nil {
			return err
		}
		if f.Kind == Stale && s.opts.History == 0 {
			return fmt.Errorf("stale reads need Options.History")
		}
		s.faults = append(s.faults, &f)
	}
	return nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		s.admin(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away while sending
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f := s.match(r)
	if f == nil {
		copyReply(w, s.serve(r))
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), faultKey{}, f))
	switch f.Kind {
	case DropBefore:
		panic(http.ErrAbortHandler)
	case DropAfter:
		s.serve(r)
		panic(http.ErrAbortHandler)
	case Hold:
		s.hold(r, body, f.Delay)
		panic(http.ErrAbortHandler)
	case ErrorBefore, Throttle:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cloud.Refuse(w, *f)
	case ErrorAfter:
		s.serve(r)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cloud.Refuse(w, *f)
	case Garbage:
		s.serve(r)
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html><body>bad gateway")
	case Slow:
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
		copyReply(w, s.serve(r))
	case Stale:
		copyReply(w, s.stale(r, f.Delay))
	default: // the job faults: the cloud looks at the context
		copyReply(w, s.serve(r))
	}
}

// match finds the first fault for a request and counts the request.
func (s *Server) match(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := s.cloud.Call(r)
	s.opts.Log.count(call.Name)
	for i, f := range s.faults {
		if f.matches(call) {
			if f.Times == spent {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
			return f
		}
	}
	return nil
}

// serve lets the cloud answer, after the held requests that are due.
func (s *Server) serve(r *http.Request) *httptest.ResponseRecorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release()
	s.cloud.Advance()
	rec := httptest.NewRecorder()
	s.cloud.ServeHTTP(rec, r)
	s.changed()
	return rec
}

func (s *Server) hold(r *http.Request, body []byte, delay time.Duration) {
	late := r.Clone(context.WithoutCancel(r.Context()))
	late.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.held = append(s.held, held{s.opts.Now().Add(delay), late})
	s.mu.Unlock()
	time.AfterFunc(delay, s.Release)
}

// Release does the held requests that are due. The Server calls it by itself;
// a test with a clock of its own calls it after moving the clock.
func (s *Server) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release()
	s.changed()
}

func (s *Server) release() {
	now := s.opts.Now()
	var wait []held
	for _, h := range s.held {
		if h.due.After(now) {
			wait = append(wait, h)
			continue
		}
		s.cloud.Advance()
		s.cloud.ServeHTTP(httptest.NewRecorder(), h.req)
	}
	s.held = wait
}

// changed keeps history and tells OnChange when the state is a new one.
func (s *Server) changed() {
	if v := s.cloud.Version(); v == s.seen || s.opts.History == 0 && s.OnChange == nil {
		s.seen = v
		return
	} else {
		s.seen = v
	}
	state, err := s.cloud.State()
	if err != nil {
		panic(err) // a simulator that cannot write its own state is a bug
	}
	if s.opts.History > 0 {
		s.states = append(s.states, snapshot{s.opts.Now(), state})
		if n := len(s.states) - s.opts.History; n > 0 {
			s.states = slices.Delete(s.states, 0, n)
		}
	}
	if s.OnChange != nil {
		s.OnChange(state)
	}
}

// stale answers from the newest state that is at least back old.
func (s *Server) stale(r *http.Request, back time.Duration) *httptest.ResponseRecorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.opts.Now().Add(-back)
	old := s.states[0]
	for _, snap := range s.states {
		if !snap.at.After(at) {
			old = snap
		}
	}
	cloud := s.past(back)
	if err := cloud.Restore(old.state); err != nil {
		panic(err)
	}
	rec := httptest.NewRecorder()
	cloud.ServeHTTP(rec, r)
	// A replica that lags still knows what time it is.
	rec.Header().Set("Date", s.opts.Now().UTC().Format(http.TimeFormat))
	return rec
}

func copyReply(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

func (s *Server) admin(w http.ResponseWriter, r *http.Request) {
	reply := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		_ = enc.Encode(v)
	}
	fail := func(err error) { http.Error(w, err.Error(), http.StatusBadRequest) }
	body, err := io.ReadAll(r.Body)
	if err != nil {
		fail(err)
		return
	}
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, "/_sim/") {
	case "GET audit":
		s.Cloud(func(Cloud) {}) // jobs that are due are part of the truth
		// A list also when it is empty.
		reply(append([]Entry{}, s.opts.Log.Entries()...))
	case "GET calls":
		reply(s.opts.Log.Calls())
	case "GET faults":
		s.mu.Lock()
		defer s.mu.Unlock()
		reply(append([]*Fault{}, s.faults...))
	case "POST faults":
		var list []Fault
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
			err = strictly(body, &list)
		} else {
			list = make([]Fault, 1)
			err = strictly(body, &list[0])
		}
		if err == nil {
			err = s.Inject(list...)
		}
		if err != nil {
			fail(err)
			return
		}
		reply("ok")
	case "DELETE faults":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.faults = nil
		reply("ok")
	case "POST drift":
		var d Drift
		if err = strictly(body, &d); err == nil {
			err = d.check()
		}
		if err == nil {
			s.Cloud(func(c Cloud) { err = c.Drift(d) })
		}
		if err != nil {
			fail(err)
			return
		}
		reply("ok")
	case "GET state":
		var state []byte
		s.Cloud(func(c Cloud) { state, err = c.State() })
		if err != nil {
			fail(err)
			return
		}
		reply(json.RawMessage(state))
	case "PUT state":
		s.Cloud(func(c Cloud) { err = c.Restore(body) })
		if err != nil {
			fail(err)
			return
		}
		reply("ok")
	default:
		http.NotFound(w, r)
	}
}
