package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Entry is one account and region under "providers".
type Entry struct {
	Name     string
	Plugin   string
	Settings json.RawMessage // as the schema completed it
	Endpoint string          // empty: the cloud's own
	Timing   *provider.Timing
	// Credentials says which variable holds each credential that does not come
	// from the cloud's customary one: "access_key_id" to "CCTL_CRED_OPS_AK".
	Credentials  map[string]string
	Rules        json.RawMessage // what it says to clusterctl itself; nil: nothing
	Source       string          // "fleet.cue:4:2"
	SchemaDigest string
}

// settings is what every plugin's entry has in common.
type settings struct {
	Endpoint string `json:"endpoint"`
	Timing   *struct {
		AcceptWindow string `json:"accept_window"`
		ReadLag      string `json:"read_lag"`
	} `json:"timing"`
	Credentials map[string]struct {
		Env string `json:"env"`
	} `json:"credentials"`
}

// entry judges one providers entry. The plugin is returned even when the entry
// is not sound, so that its clusters can still be judged.
func (l *loader) entry(name string, raw cue.Value) (*Entry, *compiled) {
	s := &subject{tree: l.tree, ctx: l.ctx, raw: raw, entry: name, where: fmt.Sprintf("providers entry %q", name)}
	known := slices.Sorted(maps.Keys(l.plugins))
	if faults := s.itself(); faults != nil {
		l.report(faults...)
		return nil, nil
	}
	plugin, fault := s.word("plugin", known)
	if fault != nil {
		l.report(*fault)
		return nil, nil
	}
	c := l.plugins[plugin]
	if c == nil {
		p := Problem{Kind: KindProvider, Path: "plugin", Message: fmt.Sprintf("no plugin %q", plugin), Hint: DidYouMean(plugin, known)}
		l.report(s.problem(p, "plugin"))
		return nil, nil
	}
	s.def = c.entry
	unified, problems := s.judge()
	if problems != nil {
		l.report(problems...)
		return nil, c
	}
	content, values, err := canonical(unified)
	var common settings
	if err == nil {
		err = json.Unmarshal(content, &common)
	}
	var rules json.RawMessage
	if err == nil {
		if rules, err = takeRules(values); err == nil && rules != nil {
			content, err = marshal(values)
		}
	}
	if err != nil {
		l.report(s.problem(Problem{Kind: KindProvider, Message: fmt.Sprintf("%s: %v", s.where, err)}))
		return nil, c
	}
	e := &Entry{
		Name: name, Plugin: plugin, Settings: content, Rules: rules, Endpoint: common.Endpoint,
		Source: l.at(labelPos(raw)), SchemaDigest: c.Digest, Credentials: map[string]string{},
	}
	sound := l.entryRules(s, e, common, c)
	if !sound {
		return nil, c
	}
	return e, c
}

// entryRules keeps what holds for every plugin, whatever its schema says.
func (l *loader) entryRules(s *subject, e *Entry, common settings, c *compiled) bool {
	before := len(l.problems)
	fail := func(kind, message, hint string, path ...string) {
		p := Problem{Kind: kind, Path: dotted(path), Message: message, Hint: hint}
		l.report(s.problem(p, path...))
	}
	const unlock = "add the host to \"endpoints\" in " + LockFile + " if it is meant to receive signed requests"
	if e.Endpoint != "" {
		if err := checkEndpoint(e.Endpoint, c.Domains, l.lock); err != nil {
			fail(KindProvider, err.Error(), unlock, "endpoint")
		}
	}
	if common.Timing != nil {
		timing, err := timingOf(common.Timing.AcceptWindow, common.Timing.ReadLag)
		if err != nil {
			fail(KindProvider, err.Error(), "", "timing")
		}
		e.Timing = timing
	}
	for _, name := range slices.Sorted(maps.Keys(common.Credentials)) {
		env := common.Credentials[name].Env
		if !credentialVariable.MatchString(env) {
			fail(KindSecret, "a credential is read from a variable whose name starts with CCTL_CRED_", "", "credentials", name)
			continue
		}
		e.Credentials[name] = env
	}
	if name := endpointVariable(e.Plugin); l.getenv(name) != "" {
		e.Endpoint = l.getenv(name)
		if err := checkEndpoint(e.Endpoint, c.Domains, l.lock); err != nil {
			fail(KindProvider, fmt.Sprintf("%s: %v", name, err), unlock)
		}
	}
	if text := l.getenv(timingVariable); text != "" {
		timing, err := timingFrom(text)
		if err != nil {
			fail(KindProvider, fmt.Sprintf("%s: %v", timingVariable, err), "")
		}
		e.Timing = timing
	}
	if e.Timing != nil && !isLoopback(e.Endpoint) {
		fail(KindProvider, "timing is accepted only with an endpoint on this machine: a real cloud keeps its own clocks",
			"remove timing, or point endpoint at a simulator", timingPath(common)...)
	}
	return len(l.problems) == before
}

const timingVariable = "CCTL_TIMING"

// endpointVariable names the variable that overrides a plugin's endpoints.
func endpointVariable(plugin string) string {
	return "CCTL_ENDPOINT_" + strings.ToUpper(strings.ReplaceAll(plugin, "-", "_"))
}

func timingPath(common settings) []string {
	if common.Timing != nil {
		return []string{"timing"}
	}
	return nil
}
