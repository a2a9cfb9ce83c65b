package provider

import (
	"encoding/json"
	"time"
)

// Description is what a plugin says of itself.
type Description struct {
	Name    string // "huawei"; the spec's providers entry says plugin: "huawei"
	Version string // semantic version of the plugin

	// Schema holds the CUE files: definitions for every kind and #Provider for
	// the providers entry. Standard library imports only.
	Schema Schema
	Kinds  []Kind

	Capabilities []string     // Cap… constants; unknown ones are ignored
	Credentials  []Credential // what Configure wants
	Domains      []string     // host suffixes that belong to the cloud, such as "myhuaweicloud.com"
	// Identity names the settings of a providers entry that say which account
	// and region it is ("region", "project_id"). Runs whose entries agree in
	// them share locks and history.
	Identity []string
	Rate     Rate
}

// Schema is a set of CUE files that form one package.
type Schema struct {
	Files  map[string][]byte // file name (no directory) to content
	Digest string            // SchemaDigest(Files)
}

// Kind is one kind of cluster the provider manages.
type Kind struct {
	Name       string // "mrs"
	Definition string // "#MRS"

	// Creates says that an absent cluster of this kind can be created.
	Creates bool
	// AcceptWindow is how long after its signature the cloud may still take a
	// request; an action may raise it.
	AcceptWindow time.Duration
	// ReadLag is how long after a change a read may still show the state
	// before it.
	ReadLag time.Duration
}

// Credential is one value the host reads for the plugin.
type Credential struct {
	Name     string // key in Config.Credentials: "access_key_id"
	Env      string // the cloud's customary variable: "HUAWEICLOUD_SDK_AK"
	Optional bool   // session tokens
}

// Rate is how much the cloud lets one account ask. Zero fields mean no limit.
// The provider's own client keeps it; the engine uses it to size its
// concurrency and to say beforehand how long reading will take.
type Rate struct {
	Requests    int           // this many requests …
	Per         time.Duration // … in this time
	Concurrency int           // requests in flight at once
}

// Config is one entry of the spec's "providers" with its credentials.
type Config struct {
	Entry       string            // the entry's free name: "qc"
	Settings    json.RawMessage   // the entry as the schema completed it
	Endpoint    string            // base URL that overrides the cloud's own; empty: the cloud's own
	Credentials map[string]string // by Credential.Name; never printed
	Timing      *Timing           // shortened clocks of a simulator; nil: the cloud's own
	UserAgent   string
}

// Timing replaces every kind's windows when a simulator on loopback stands in
// for the cloud.
type Timing struct {
	AcceptWindow time.Duration `json:"accept_window"`
	ReadLag      time.Duration `json:"read_lag"`
}

// Meaning says what a field means to the engine. Schemas state it as CUE
// attributes on the field, specs cannot.
type Meaning uint8

const (
	// Immutable (@immutable()): a difference cannot be changed in place.
	Immutable Meaning = 1 << iota
	// Param (@param()): sent with an action, never compared: it cannot be
	// read back, or concerns only nodes yet to come.
	Param
	// Secret (@secret()): a reference that the host resolves at apply.
	Secret
	// Set (@set()): a list whose order does not matter.
	Set
)

// Meanings maps a field's path inside its cluster ("node_groups.core.count")
// to its meaning. A struct's meaning holds for everything below it.
type Meanings map[string]Meaning

// Of returns the meaning of path: its own and that of every struct above it.
func (m Meanings) Of(path string) Meaning {
	meaning := m[path]
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' {
			meaning |= m[path[:i]]
		}
	}
	return meaning
}
