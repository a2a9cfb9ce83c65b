//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// front stands before one simulated cloud and sees every changing request
// arrive, whatever the cloud then does with it.
type front struct {
	run   *chaosRun
	name  string
	sim   *cloudsim.Server
	keys  [2]string // id and secret
	start []byte    // the state at the beginning
	web   *httptest.Server

	mu      sync.Mutex
	arrived []arrival
	seen    map[string]int
}

// arrival is a changing request that came in.
type arrival struct {
	at   time.Time
	call cloudsim.Call
	// intents that were on disk for it, unanswered
	intents []journal.Intent
}

func newFront(r *chaosRun, name string) (*front, error) {
	f := &front{run: r, name: name, seen: map[string]int{}, keys: [2]string{canary("AK"), canary("SK")}}
	f.sim = chaosClouds[name].build(cloudsim.Options{JobTime: chaosJobTime, AcceptWindow: chaosWindow, History: 64,
		AccessKeyID: f.keys[0], SecretKey: f.keys[1]})
	var err error
	f.sim.Cloud(func(c cloudsim.Cloud) {
		if err = c.Restore(chaosClouds[name].state()); err == nil {
			f.start, err = c.State()
		}
	})
	if err == nil && r.fault.fault != nil {
		err = f.sim.Inject(*r.fault.fault)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.web = httptest.NewServer(f)
	f.web.Config.ErrorLog = nil
	return f, nil
}

// state is what the cloud holds now.
func (f *front) state() (state []byte, err error) {
	f.sim.Cloud(func(c cloudsim.Cloud) { state, err = c.State() })
	return state, err
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // who sent it was killed meanwhile
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var call cloudsim.Call
	f.sim.Cloud(func(c cloudsim.Cloud) { call = c.Call(r) })
	if !call.Changes {
		f.sim.ServeHTTP(w, r)
		return
	}
	f.note(call)
	f.reach(call, "before")
	defer f.reach(call, "after") // also when the cloud drops the connection
	f.sim.ServeHTTP(w, r)
}

// note keeps what was on disk when the request came.
func (f *front) note(call cloudsim.Call) {
	a := arrival{at: time.Now(), call: call}
	store, err := journal.OpenFile(f.run.store(), journal.CreateNo, a.at)
	var intents []journal.Intent
	if err == nil {
		intents, _, err = store.Open()
	}
	if err != nil {
		f.run.problem(fmt.Errorf("the store cannot be read when %s arrives: %w", call.Name, err))
	}
	for _, in := range intents {
		if in.Answer == nil && in.ClusterID == call.Cluster && (call.Cluster != "" || in.Op == provider.OpCreate) {
			a.intents = append(a.intents, in)
		}
	}
	f.mu.Lock()
	f.arrived = append(f.arrived, a)
	f.mu.Unlock()
}

// reach kills where the run is to stop.
func (f *front) reach(call cloudsim.Call, when string) {
	name := "cloud-" + call.Name + ":" + when
	f.mu.Lock()
	f.seen[name]++
	name = fmt.Sprintf("%s:%d", name, f.seen[name])
	f.mu.Unlock()
	victim := f.run.passes(name)
	var err error
	switch victim {
	case killSelf:
		err = killProgram(f.run.tmp())
	case killPlugin:
		err = killPlugins(f.run.tmp(), f.name)
	default:
		return
	}
	f.run.killed(victim, name, err)
}

// problem keeps what the grid itself could not do.
func (r *chaosRun) problem(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = errors.Join(r.problems, err)
}

// passes notes a point of the cloud's and says who dies there, if anybody.
func (r *chaosRun) passes(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first {
		r.points = append(r.points, name)
		if r.at == name {
			return r.victim
		}
	}
	return ""
}

func (r *chaosRun) killed(victim, at string, err error) {
	if err != nil {
		r.problem(fmt.Errorf("kill %s at %s: %w", victim, at, err))
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kills = append(r.kills, victim)
}
