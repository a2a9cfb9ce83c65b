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
	"github.com/clusterctl/clusterctl/engine/pluginhost"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/schema"
)

func pluginDirFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "plugin-dir", EnvVars: []string{"CCTL_PLUGIN_DIR"}, Usage: "look for plugins in `DIR` first; repeatable"}
}

// pinned is one providers entry to be started: from a spec, or from a saved
// plan, which also pins the plugin's binary.
type pinned struct {
	name, plugin, schemaDigest, hash string
	settings                         json.RawMessage
	endpoint                         string
	timing                           *provider.Timing
	credentials                      map[string]string
}

// entriesOf are the entries that the clusters use.
func entriesOf(fleet *schema.Fleet, clusters []*engine.Cluster) []pinned {
	var list []pinned
	for name, e := range fleet.Providers {
		if !slices.ContainsFunc(clusters, func(c *engine.Cluster) bool { return c.Entry == name }) {
			continue
		}
		list = append(list, pinned{name: name, plugin: e.Plugin, schemaDigest: e.SchemaDigest, settings: e.Settings,
			endpoint: e.Endpoint, timing: e.Timing, credentials: e.Credentials})
	}
	slices.SortFunc(list, func(a, b pinned) int { return compare(a.name, b.name) })
	return list
}

// entriesOfPlan are the entries that a saved plan pins and its actions use.
func entriesOfPlan(p *engine.Plan) []pinned {
	var list []pinned
	for _, e := range p.Providers {
		if !slices.ContainsFunc(p.Actions, func(a engine.Action) bool { return a.Provider == e.Name }) {
			continue
		}
		list = append(list, pinned{name: e.Name, plugin: e.Plugin, schemaDigest: e.SchemaDigest, hash: e.Hash, settings: e.Settings,
			endpoint: e.Endpoint, timing: e.Timing, credentials: e.Credentials})
	}
	return list
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
	host := &pluginhost.Host{Dirs: c.StringSlice("plugin-dir")}
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
			errs = append(errs, fmt.Errorf("providers entry %s: %w", w.name, err))
		}
		binaries[i] = b
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	plugins, err := host.StartAll(ctx, binaries)
	if err != nil {
		return nil, err
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
			if errs[i] != nil {
				errs[i] = fmt.Errorf("providers entry %s: %w", w.name, errs[i])
			}
		})
	}
	wait.Wait()
	for _, e := range entries {
		if e != nil {
			s.entries[e.Name] = e
		}
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
	credentials, err := sh.credentials(d, w.credentials)
	if err != nil {
		return nil, err
	}
	cfg := provider.Config{Entry: w.name, Settings: w.settings, Endpoint: w.endpoint, Timing: w.timing,
		Credentials: credentials, UserAgent: "clusterctl/" + version()}
	if err := p.Configure(ctx, cfg); err != nil {
		return nil, err
	}
	return &engine.Entry{Name: w.name, Provider: p.Provider, Description: d, Settings: w.settings, Credentials: w.credentials,
		Endpoint: w.endpoint, Timing: w.timing, Hash: p.Binary.SHA256}, nil
}

// credentials reads what the plugin wants from the cloud's customary variables,
// or from those that the entry names.
func (sh *shell) credentials(d *provider.Description, named map[string]string) (map[string]string, error) {
	values := map[string]string{}
	var errs []error
	for _, want := range d.Credentials {
		variable := want.Env
		if other, ok := named[want.Name]; ok {
			variable = other
		}
		value := sh.getenv(variable)
		switch {
		case value != "":
			values[want.Name] = value
		case !want.Optional || named[want.Name] != "":
			errs = append(errs, fmt.Errorf("%s is not set; export it, or name another variable under credentials: {%s: {env: \"CCTL_CRED_…\"}}", variable, want.Name))
		}
	}
	return values, errors.Join(errs...)
}

func (sh *shell) pluginCommand() *cli.Command {
	return &cli.Command{
		Name: "plugin", Usage: "look at the provider plugins",
		Subcommands: []*cli.Command{{
			Name: "list", Usage: "list the plugins that would be used, with version and hash",
			Flags: []cli.Flag{pluginDirFlag(), formatFlag("text or json")},
			Action: func(c *cli.Context) error {
				if err := wantArgs(c, 0); err != nil {
					return err
				}
				return sh.listPlugins(c)
			},
		}},
	}
}

type listedPlugin struct {
	Name         string   `json:"name"`
	Version      string   `json:"version,omitempty"`
	Kinds        []string `json:"kinds,omitempty"`
	Capabilities []string `json:"capabilities,omitempty"`
	Path         string   `json:"path"`
	SHA256       string   `json:"sha256"`
	Error        string   `json:"error,omitempty"`
}

func (sh *shell) listPlugins(c *cli.Context) error {
	format, err := oneOf(c, "format", "text", "json")
	if err != nil {
		return err
	}
	host := &pluginhost.Host{Dirs: c.StringSlice("plugin-dir")}
	found, bad := host.List()
	list := []listedPlugin{}
	for _, b := range found {
		row := listedPlugin{Name: b.Name, Path: b.Path, SHA256: b.SHA256}
		if p, err := host.Start(c.Context, b); err != nil {
			row.Error = err.Error()
		} else {
			if d, err := p.Describe(c.Context); err != nil {
				row.Error = err.Error()
			} else {
				row.Version, row.Capabilities = d.Version, d.Capabilities
				for _, k := range d.Kinds {
					row.Kinds = append(row.Kinds, k.Name)
				}
			}
			p.Close()
		}
		list = append(list, row)
	}
	if format == "json" {
		err = sh.printJSON(list)
	} else {
		err = sh.pluginTable(list)
	}
	return errors.Join(err, bad)
}
