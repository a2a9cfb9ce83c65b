package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/pluginhost"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/schema"
)

func pluginDirFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "plugin-dir", EnvVars: []string{"CCTL_PLUGIN_DIR"}, Usage: "look for plugins in `DIR` first; repeatable"}
}

// pluginDirs leaves out what is empty: a variable that is set to nothing does
// not make the working directory, which may be anybody's, a place for plugins.
func pluginDirs(c *cli.Context) []string {
	return slices.DeleteFunc(slices.Clone(c.StringSlice("plugin-dir")), func(dir string) bool { return dir == "" })
}

// pinned is one providers entry to be started: from a spec, or from a saved
// plan, which also pins the plugin's binary.
type pinned struct {
	name, plugin, schemaDigest, hash string
	settings                         json.RawMessage
	endpoint                         string
	timing                           *provider.Timing
	credentials                      map[string]string
	maxRemoved                       *engine.Budget
	source                           string // its line in the spec
}

// entriesOf are the entries that the clusters use.
func entriesOf(fleet *schema.Fleet, clusters []*engine.Cluster) []pinned {
	var list []pinned
	for name, e := range fleet.Providers {
		if !slices.ContainsFunc(clusters, func(c *engine.Cluster) bool { return c.Entry == name }) {
			continue
		}
		list = append(list, pinned{name: name, plugin: e.Plugin, schemaDigest: e.SchemaDigest, settings: e.Settings,
			endpoint: e.Endpoint, timing: e.Timing, credentials: e.Credentials, maxRemoved: budgetOf(e), source: e.Source})
	}
	slices.SortFunc(list, func(a, b pinned) int { return compare(a.name, b.name) })
	return list
}

// entriesOfPlan are the entries that a saved plan pins, as far as its actions or
// open requests are about them.
func entriesOfPlan(p *engine.Plan, open []journal.Intent) []pinned {
	var list []pinned
	for _, e := range p.Providers {
		acts := slices.ContainsFunc(p.Actions, func(a engine.Action) bool { return a.Provider == e.Name })
		watches := slices.ContainsFunc(open, func(in journal.Intent) bool { return in.Entry == e.Name && in.Identity.Plugin == e.Plugin })
		guards := slices.ContainsFunc(p.Guards, func(g engine.Guard) bool { return g.Provider == e.Name })
		if !acts && !watches && !guards {
			continue
		}
		list = append(list, pinned{name: e.Name, plugin: e.Plugin, schemaDigest: e.SchemaDigest, hash: e.Hash, settings: e.Settings,
			endpoint: e.Endpoint, timing: e.Timing, credentials: e.Credentials, maxRemoved: e.MaxRemoved, source: e.Source})
	}
	return list
}

// budgetOf is the entry's max_removed. Its rules have passed the schema.
func budgetOf(e *schema.Entry) *engine.Budget {
	rules, err := engine.ReadRules(e.Rules)
	if err != nil {
		panic(err)
	}
	return rules.MaxRemoved
}

// wanted is a cluster of the spec in the engine's form.
func wanted(cl *schema.Cluster) *engine.Cluster {
	rules, err := engine.ReadRules(cl.Rules)
	if err != nil {
		panic(err) // they have passed the schema
	}
	return &engine.Cluster{Desired: cl.Desired, Entry: cl.Entry, Meanings: cl.Meanings, Rules: rules, Source: cl.Source}
}

// session is the running plugins of one command.
type session struct {
	entries map[string]*engine.Entry
	plugins []*pluginhost.Plugin
}

// close stops every plugin, side by side.
func (s *session) close() {
	var wait sync.WaitGroup
	for _, p := range s.plugins {
		wait.Go(p.Close)
	}
	wait.Wait()
}

// start runs one plugin process per entry, all together, and configures them.
// Missing plugins and credentials are all told at once, before any starts.
func (sh *shell) start(ctx context.Context, c *cli.Context, wanted []pinned) (*session, error) {
	host := &pluginhost.Host{Dirs: pluginDirs(c)}
	if sh.getenv("CCTL_LOG") != "" {
		host.Log = func(plugin, line string) { fmt.Fprintf(sh.stderr, "%s: %s\n", plugin, line) }
	}
	binaries := make([]pluginhost.Binary, len(wanted))
	var errs []error
	for i, w := range wanted {
		b, err := host.Find(w.plugin)
		if err == nil && w.hash != "" && w.hash != b.SHA256 {
			err = exitf(exitStale, "the plan was made with another build of plugin %s (sha256 %.12s…, now %.12s…); plan again", w.plugin, w.hash, b.SHA256)
		}
		if err != nil {
			errs = append(errs, ofEntry(w.name, err))
		}
		binaries[i] = b
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	plugins, err := host.StartAll(ctx, binaries)
	if err != nil {
		return nil, fmt.Errorf("%w\nclusterctl plugin list shows which files are used", err)
	}
	s := &session{entries: map[string]*engine.Entry{}, plugins: plugins}
	if err := sh.configure(ctx, s, wanted); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (sh *shell) configure(ctx context.Context, s *session, wanted []pinned) error {
	errs := make([]error, len(wanted))
	entries := make([]*engine.Entry, len(wanted))
	var wait sync.WaitGroup
	for i, w := range wanted {
		wait.Go(func() {
			entries[i], errs[i] = sh.configureOne(ctx, s.plugins[i], w)
			errs[i] = ofEntry(w.name, errs[i])
		})
	}
	wait.Wait()
	for _, e := range entries {
		if e != nil {
			s.entries[e.Name] = e
		}
	}
	if err := errors.Join(errs...); errors.Is(err, errNotSet) {
		return fmt.Errorf("credentials are missing:\n%w\nexport them, or name variables of your own in the entry: credentials: {NAME: {env: \"CCTL_CRED_…\"}}", err)
	}
	return errors.Join(errs...)
}

func (sh *shell) configureOne(ctx context.Context, p *pluginhost.Plugin, w pinned) (*engine.Entry, error) {
	d, err := p.Describe(ctx)
	if err != nil {
		return nil, err
	}
	if d.Schema.Digest != w.schemaDigest {
		return nil, fmt.Errorf("plugin %s %s brings another schema than the spec was checked with (%.19s…, not %.19s…); use the clusterctl and plugins of one release",
			w.plugin, d.Version, d.Schema.Digest, w.schemaDigest)
	}
	if err := schema.CheckEndpoint(".", w.endpoint, w.timing, d.Domains); err != nil {
		return nil, err
	}
	credentials, err := sh.credentials(d, w.credentials)
	if err != nil {
		return nil, err
	}
	cfg := provider.Config{Entry: w.name, Settings: w.settings, Endpoint: w.endpoint, Timing: w.timing,
		Credentials: credentials, UserAgent: "clusterctl/" + version()}
	if err := p.Configure(ctx, cfg); err != nil {
		return nil, err
	}
	return &engine.Entry{Name: w.name, Provider: sh.taps.wrap(w.plugin, p.Provider), Description: d, Settings: w.settings, Credentials: w.credentials,
		Endpoint: w.endpoint, Timing: w.timing, Hash: p.Binary.SHA256, MaxRemoved: w.maxRemoved, Source: w.source, Gone: p.Exited()}, nil
}

// ofEntry says which entry an error is about; each of several joined ones gets
// its own line.
func ofEntry(name string, err error) error {
	if err == nil {
		return nil
	}
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for i, e := range list {
		list[i] = fmt.Errorf("providers entry %s: %w", name, e)
	}
	return errors.Join(list...)
}

var errNotSet = errors.New("is not set")

// credentials reads what the plugin wants from the cloud's customary variables,
// or from those that the entry names.
func (sh *shell) credentials(d *provider.Description, named map[string]string) (map[string]string, error) {
	values := map[string]string{}
	var errs []error
	for _, want := range d.Credentials {
		variable := want.Env
		if other, ok := named[want.Name]; ok {
			if variable = other; !credentialVariable.MatchString(other) {
				// The loader says so of a spec; a saved plan may be anybody's.
				errs = append(errs, fmt.Errorf("credential %s: only variables that begin with CCTL_CRED_ can be named, not %s", want.Name, other))
				continue
			}
		}
		value := sh.getenv(variable)
		switch {
		case value != "":
			values[want.Name] = value
		case !want.Optional || named[want.Name] != "":
			errs = append(errs, fmt.Errorf("%s %w (%s)", variable, errNotSet, want.Name))
		}
	}
	return values, errors.Join(errs...)
}
