package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/schema"
	"github.com/clusterctl/clusterctl/schema/policy"
)

// starter is the spec that new writes: it validates as it stands.
//
//go:embed starter.cue
var starter []byte

func (sh *shell) newCommand() *cli.Command {
	return &cli.Command{
		Name: "new", Usage: "start a spec repository", ArgsUsage: "DIR",
		Description: "Writes a first spec, the schemas for editors and the stock cue command, and the file that binds them.\n" +
			"   DIR must be missing or empty.",
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return exitf(exitError, "new takes one directory: clusterctl new DIR")
			}
			return sh.create(c.Args().First())
		},
	}
}

func (sh *shell) create(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return exitf(exitError, "%s is not empty; name a new directory", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "fleet.cue"), starter, 0o644); err != nil {
		return err
	}
	if _, err := schema.Vendor(dir, schema.Builtin(), "fleet"); err != nil {
		return err
	}
	fmt.Fprintf(sh.stdout, "Made %s. Edit %s, then: clusterctl validate %s\n", dir, filepath.Join(dir, "fleet.cue"), dir)
	return nil
}

func (sh *shell) schemaCommand() *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "keep the schemas in a spec repository",
		Subcommands: []*cli.Command{{
			Name: "sync", Usage: "write the schemas of this clusterctl under cue.mod for editors and the stock cue command", ArgsUsage: "[DIR]",
			Flags: []cli.Flag{&cli.StringFlag{Name: "package", Value: "fleet", Usage: "the specs' CUE package `NAME`"}},
			Action: func(c *cli.Context) error {
				if err := wantArgs(c, 1); err != nil {
					return err
				}
				dir := c.Args().First()
				if dir == "" {
					dir = "."
				}
				changed, err := schema.Vendor(dir, schema.Builtin(), c.String("package"))
				if err != nil {
					return err
				}
				ofPolicies, err := policy.Vendor(dir)
				if err != nil {
					return err
				}
				changed = append(changed, ofPolicies...)
				for _, file := range changed {
					fmt.Fprintln(sh.stdout, "wrote "+file)
				}
				if len(changed) == 0 {
					fmt.Fprintln(sh.stdout, "Everything is up to date.")
				}
				return nil
			},
		}},
	}
}
