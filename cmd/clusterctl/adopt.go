package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/schema"
)

func (sh *shell) adoptCommand() *cli.Command {
	return &cli.Command{
		Name: "adopt", Usage: "list what runs, and write CUE for clusters that the spec does not have", ArgsUsage: "[ENTRY …]",
		Description: "Reads every cluster of the providers entries that are named, of all without one, and says which of them\n" +
			"   the spec has. With --out FILE those that it has not are written so that plan finds nothing to change: stated\n" +
			"   is what was read and is compared. What a kind requires and no read tells is left for you to fill in.\n" +
			"   Without a spec describe one account: --plugin huawei --set region=cn-north-4 --set project_id=…\n" +
			"   Changes nothing in the cloud, and overwrites no file.",
		Flags: append(targetFlags(), pluginDirFlag(), formatFlag("text or json"),
			&cli.StringFlag{Name: "dir", Value: ".", Usage: "the spec's `DIR` or package pattern"},
			&cli.StringFlag{Name: "out", Usage: "write the CUE to the new `FILE`; - is standard output"},
			&cli.StringFlag{Name: "plugin", Usage: "adopt from an account of this `PLUGIN` that the spec does not name"},
			&cli.StringSliceFlag{Name: "set", Usage: "with --plugin: `SETTING=VALUE` of the account; repeatable"}),
		Action: sh.adopt,
	}
}

func (sh *shell) adopt(c *cli.Context) error {
	format, err := oneOf(c, "format", "text", "json")
	if err != nil {
		return err
	}
	out := c.String("out")
	if out == "-" && format == "json" {
		return exitf(exitError, "--out - and --format json both want standard output; name a file")
	}
	if err := newFileName(out); err != nil {
		return err
	}
	added, err := newEntry(c)
	if err != nil {
		return err
	}
	spec, problems := schema.OpenAdoption(schema.Options{Dir: ".", Pattern: c.String("dir"), Getenv: sh.getenv}, added)
	if len(problems) > 0 {
		if err := schema.WriteText(sh.stderr, problems, sh.colour(sh.stderr)); err != nil {
			return err
		}
		return quietly(exitError)
	}
	names, err := chosenEntries(c, spec, added)
	if err != nil {
		return err
	}
	ctx, stop := sh.interruptible(c.Context)
	defer stop()
	found, err := sh.readAccounts(ctx, c, spec, names)
	if err != nil {
		return err
	}
	report, err := adoption(spec, found, c.StringSlice("target"), c.StringSlice("exclude"))
	if err != nil {
		return err
	}
	return sh.tellAdoption(c, report, format, out)
}

// newEntry is the account that flags describe; nil without --plugin.
func newEntry(c *cli.Context) (*schema.NewEntry, error) {
	plugin, settings := c.String("plugin"), map[string]string{}
	for _, text := range c.StringSlice("set") {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, exitf(exitError, "--set takes SETTING=VALUE, not %q", text)
		}
		if _, again := settings[name]; again {
			return nil, exitf(exitError, "--set %s is given twice", name)
		}
		settings[name] = value
	}
	switch {
	case plugin == "" && len(settings) > 0:
		return nil, exitf(exitError, "--set describes an account; say of which plugin with --plugin NAME")
	case plugin == "":
		return nil, nil
	case c.Args().Len() > 1:
		return nil, exitf(exitError, "--plugin describes one account; it takes one name for it, not %d", c.Args().Len())
	}
	name := c.Args().First()
	if name == "" {
		name = plugin
	}
	return &schema.NewEntry{Name: name, Plugin: plugin, Settings: settings}, nil
}

// chosenEntries are the accounts to read, by name.
func chosenEntries(c *cli.Context, spec *schema.Adoption, added *schema.NewEntry) ([]string, error) {
	if added != nil {
		return []string{added.Name}, nil
	}
	all := slices.Sorted(maps.Keys(spec.Entries))
	if len(all) == 0 {
		return nil, exitf(exitError, "the spec has no providers entry; state one, or describe one with --plugin and --set")
	}
	if c.Args().Len() == 0 {
		return all, nil
	}
	names := slices.Compact(slices.Sorted(slices.Values(c.Args().Slice())))
	for _, name := range names {
		if spec.Entries[name] == nil {
			hint := ""
			if strings.ContainsAny(name, `./\`) {
				hint = "; a directory is named with --dir"
			}
			return nil, exitf(exitError, "no providers entry %q; the spec has %s%s", name, strings.Join(all, ", "), hint)
		}
	}
	return names, nil
}

// tellAdoption writes the file and prints what was found.
func (sh *shell) tellAdoption(c *cli.Context, report *adoptReport, format, out string) error {
	stdout := sh.stdout
	if report.content != nil {
		var err error
		switch out {
		case "":
		case "-":
			stdout = sh.stderr
			_, err = sh.stdout.Write(report.content)
		default:
			err = placeNew(out, report.content, os.Link)
		}
		if err != nil {
			return err
		}
	}
	var err error
	if format == "json" {
		err = sh.printJSON(report.document(out))
	} else if err = render.Table(stdout, report.table(), sh.look(stdout)); err == nil {
		_, err = fmt.Fprintln(stdout, report.ending(out, c.String("dir")))
	}
	if err != nil {
		return err
	}
	for _, err := range report.unread {
		fmt.Fprintln(sh.stderr, "clusterctl: "+err.Error())
	}
	if len(report.unread) > 0 {
		return quietly(exitError)
	}
	return nil
}
