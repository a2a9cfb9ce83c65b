package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine/pluginhost"
	"github.com/clusterctl/clusterctl/engine/render"
)

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
	host := &pluginhost.Host{Dirs: pluginDirs(c)}
	found, bad := host.List()
	errs := []error{bad}
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
		if row.Error != "" {
			errs = append(errs, fmt.Errorf("%s cannot be used: %s", b.Path, row.Error))
		}
		list = append(list, row)
	}
	if format == "json" {
		err = sh.printJSON(list)
	} else {
		err = sh.pluginTable(list)
	}
	return errors.Join(err, errors.Join(errs...))
}

func (sh *shell) pluginTable(list []listedPlugin) error {
	table := [][]string{{"PLUGIN", "VERSION", "KINDS", "SHA256", "PATH"}}
	for _, p := range list {
		kinds := strings.Join(p.Kinds, ", ")
		if p.Error != "" {
			kinds = "cannot be used"
		}
		table = append(table, []string{p.Name, p.Version, kinds, p.SHA256[:12], p.Path})
	}
	if len(list) == 0 {
		fmt.Fprintln(sh.stdout, "No plugins were found beside this binary, in --plugin-dir, or in the user's plugin folder.")
		return nil
	}
	return render.Table(sh.stdout, table, sh.look(sh.stdout))
}
