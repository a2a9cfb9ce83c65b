package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
)

// release is set by the linker; a build without it says what Go knows.
var release string

func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "0.0.0-dev"
}

func (sh *shell) versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version",
		Action: func(c *cli.Context) error {
			if err := wantArgs(c, 0); err != nil {
				return err
			}
			fmt.Fprintf(sh.stdout, "clusterctl %s (%s, %s/%s), plan format %s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, engine.FormatVersion)
			return nil
		},
	}
}
