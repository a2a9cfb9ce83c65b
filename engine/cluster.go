package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Cluster is one cluster as the spec wants it.
type Cluster struct {
	provider.Desired
	Entry    string // the providers entry
	Meanings provider.Meanings
	Rules    Rules
	// Source gives the spec's position of a path inside the cluster.
	Source func(path string) string
}

// Entry is one entry of the spec's providers, with its running plugin.
type Entry struct {
	Name        string
	Provider    provider.Provider
	Description *provider.Description
	Settings    json.RawMessage
	Credentials map[string]string // credential to variable, as the spec names them
	Endpoint    string
	Timing      *provider.Timing
	Hash        string // of the plugin's binary
	// MaxRemoved limits the nodes removed from all clusters of the account.
	MaxRemoved *Budget
	Source     string // its line in the spec; empty when it comes from a saved plan
	// Gone is closed when the plugin's process has ended; nil: it has none.
	Gone <-chan struct{}
}

func (e *Entry) gone() bool {
	select {
	case <-e.Gone:
		return true
	default:
		return false
	}
}

// kind returns the description of a kind, with the entry's timing applied.
func (e *Entry) kind(name string) (provider.Kind, error) {
	for _, k := range e.Description.Kinds {
		if k.Name == name {
			if e.Timing != nil {
				k.AcceptWindow, k.ReadLag = e.Timing.AcceptWindow, e.Timing.ReadLag
			}
			return k, nil
		}
	}
	return provider.Kind{}, fmt.Errorf("plugin %s has no kind %q", e.Description.Name, name)
}

// identity names a cluster for locks and history.
func (e *Entry) identity(id, name string) journal.Identity {
	var settings map[string]any
	_ = json.Unmarshal(e.Settings, &settings) // the loader made it
	var account []string
	for _, key := range e.Description.Identity {
		account = append(account, fmt.Sprintf("%s=%v", key, settings[key]))
	}
	slices.Sort(account)
	identity := journal.Identity{
		Plugin: e.Description.Name, Account: strings.Join(account, " "),
		Endpoint: e.place(), ID: id,
	}
	if id == "" {
		identity.Name = name
	}
	return identity
}

// place is the endpoint as identities have it: one for all spellings, and none for
// a host of the cloud's own, since that is where an entry without one leads. Locks
// and guards hold whichever way the cloud is reached.
func (e *Entry) place() string {
	u, err := url.Parse(e.Endpoint)
	if e.Endpoint == "" || err != nil {
		return e.Endpoint
	}
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	for _, domain := range e.Description.Domains {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return ""
		}
	}
	if port != "" && port != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		host = net.JoinHostPort(host, port)
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host
}

// Values are a decoded JSON object: maps, lists, strings, bools, int64 and,
// for what is no whole number, float64. Null members are dropped.
type Values = map[string]any

// decode reads JSON into Values.
func decode(raw json.RawMessage) (Values, error) {
	if len(raw) == 0 {
		return Values{}, nil
	}
	var v Values
	if err := unmarshal(raw, &v); err != nil {
		return nil, err
	}
	if v == nil {
		return Values{}, nil
	}
	normalise(v)
	return v, nil
}

// unmarshal is json.Unmarshal that rounds no number. A float64 holds fifteen
// digits exactly, and with them it takes half the time.
func unmarshal(raw json.RawMessage, v *Values) error {
	if !longDigits(raw) {
		return json.Unmarshal(raw, v)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("more than one JSON value")
	}
	return nil
}

// longDigits reports a run of more than fifteen digits, in a string or not.
func longDigits(raw []byte) bool {
	run := 0
	for _, b := range raw {
		if b < '0' || b > '9' {
			run = 0
			continue
		}
		if run++; run > 15 {
			return true
		}
	}
	return false
}

// normalise brings a decoded value to the one form that compares equal.
func normalise(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if member == nil {
				delete(v, key)
				continue
			}
			v[key] = normalise(member)
		}
		return v
	case []any:
		for i := range v {
			v[i] = normalise(v[i])
		}
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return normalise(f)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return int64(v)
		}
		return v
	case int:
		return int64(v)
	default:
		return v
	}
}

// groupsKey is where the spec keeps node groups.
const groupsKey = "node_groups"

// groupPath is a path inside a group as seen from the cluster.
func groupPath(group, path string) string {
	switch {
	case group == "":
		return path
	case path == "":
		return groupsKey + "." + group
	}
	return groupsKey + "." + group + "." + path
}

// splitPath is the inverse of groupPath.
func splitPath(path string) (group, rest string) {
	tail, ok := strings.CutPrefix(path, groupsKey+".")
	if !ok {
		return "", path
	}
	group, rest, _ = strings.Cut(tail, ".")
	return group, rest
}

// Address joins a cluster's key and a group: "analytics/core".
func Address(cluster, group string) string {
	if group == "" {
		return cluster
	}
	return cluster + "/" + group
}

// observedValues shapes a live cluster like a spec.
func observedValues(s *provider.State) (Values, error) {
	v, err := decode(s.Attributes)
	if err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	groups := Values{}
	for _, g := range s.Groups {
		attrs, err := decode(g.Attributes)
		if err != nil {
			return nil, fmt.Errorf("attributes of group %s: %w", g.Role, err)
		}
		attrs["count"] = int64(g.Count)
		groups[g.Role] = attrs
	}
	v[groupsKey] = groups
	return v, nil
}
