package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// shell is what a command knows of its surroundings.
type shell struct {
	stdin          *os.File
	stdout, stderr *os.File
	getenv         func(string) string
	command        string // as typed, for people who find our lock
	screen         screen
	taps           taps
}

// run is main without the exit.
func run(args []string, taps taps) int {
	sh := &shell{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, command: "clusterctl " + strings.Join(args[1:], " "), taps: taps}
	err := sh.app().RunContext(context.Background(), args)
	if err != nil && err.Error() != "" {
		fmt.Fprintln(sh.stderr, "clusterctl: "+strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return codeOf(err)
}

func (sh *shell) app() *cli.App {
	app := &cli.App{
		Name:  "clusterctl",
		Usage: "plan and apply cluster topologies on QingCloud EHPC, Huawei Cloud MRS and Alibaba Cloud ACK",
		Description: "Specs are CUE packages; see clusterctl new --help for a first one.\n" +
			"Exit codes: 0 done or nothing to do, 1 error, 2 changes pending (--detailed-exitcode), 3 plan is stale,\n" +
			"4 locked, 5 partly applied, 6 outcome unknown, 7 denied or not approved, 130 interrupted.",
		Writer: sh.stdout, ErrWriter: sh.stderr,
		HideVersion: true,
		Suggest:     true,
		// The library would exit inside Run, where locks and plugins are still held.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
		Action:         unknownCommand,
		Commands: []*cli.Command{
			sh.validateCommand(), sh.diffCommand(), sh.planCommand(), sh.applyCommand(), sh.showCommand(), sh.statusCommand(),
			sh.historyCommand(), sh.adoptCommand(), sh.resolveCommand(), sh.unlockCommand(), sh.policyCommand(), sh.newCommand(), sh.schemaCommand(), sh.pluginCommand(),
			sh.completionCommand(), sh.completeCommand(), sh.versionCommand(),
		},
	}
	each(app.Commands, func(c *cli.Command) {
		c.OnUsageError = usageError
		c.CustomHelpTemplate = helpTemplate
		if c.Action == nil {
			c.Action = unknownCommand
		} else {
			c.HideHelpCommand = true // it would be offered where a directory belongs
			if !c.SkipFlagParsing {
				c.Action = checked(c.Action)
			}
		}
	})
	return app
}

// helpTemplate is the library's with the usage line first, which says that flags
// come before the argument.
const helpTemplate = `NAME:
   {{.HelpName}} - {{.Usage}}

USAGE:
   {{if .UsageText}}{{.UsageText}}{{else if .Subcommands}}{{.HelpName}} COMMAND{{else}}{{.HelpName}} [options]{{with .ArgsUsage}} {{.}}{{end}}{{end}}
{{- if .Description}}

DESCRIPTION:
   {{.Description}}
{{- end}}
{{- if .VisibleCommands}}

COMMANDS:
{{- range .VisibleCommands}}
   {{join .Names ", "}}{{"\t"}}{{.Usage}}
{{- end}}
{{- end}}
{{- if .VisibleFlags}}

OPTIONS:
{{- range .VisibleFlags}}
   {{.}}
{{- end}}
{{- end}}
`

func each(commands []*cli.Command, f func(*cli.Command)) {
	for _, c := range commands {
		f(c)
		each(c.Subcommands, f)
	}
}

// checked refuses what the library would take for an argument: a flag after
// the first argument would silently have no effect.
func checked(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		for _, arg := range c.Args().Slice() {
			if strings.HasPrefix(arg, "-") && arg != "-" {
				return exitf(exitError, "flag %s stands after an argument; write flags first: clusterctl %s %s …", arg, c.Command.FullName(), arg)
			}
		}
		return action(c)
	}
}

func usageError(c *cli.Context, err error, _ bool) error {
	name := strings.TrimPrefix(c.Command.HelpName, "clusterctl")
	return exitf(exitError, "%s; see clusterctl%s --help", flagFault(err), strings.TrimSuffix(name, " "))
}

// flagFault words what the flag package says of a flag as we say it elsewhere.
func flagFault(err error) string {
	text := err.Error()
	if flag, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return "there is no flag --" + strings.TrimPrefix(flag, "-")
	}
	if flag, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return "--" + strings.TrimPrefix(flag, "-") + " needs a value"
	}
	rest, bad := strings.CutPrefix(text, "invalid value ")
	value, rest, named := strings.Cut(rest, " for flag -")
	name, why, said := strings.Cut(rest, ": ")
	switch {
	case !bad || !named || !said:
		return text
	case why != "parse error":
		return "--" + name + " " + value + ": " + why
	case slices.Contains([]string{"wait", "lock-timeout"}, name):
		return "--" + name + " takes a duration such as 90s or 30m, not " + value
	}
	return "--" + name + " takes a whole number, not " + value
}

// unknownCommand is the action of what has only sub-commands: it shows them,
// and refuses a word that is none of them.
func unknownCommand(c *cli.Context) error {
	name := c.Args().First()
	commands, path := c.App.Commands, "clusterctl"
	if c.Command != nil && len(c.Command.Subcommands) > 0 && c.Command.Name != c.App.Name {
		commands, path = c.Command.Subcommands, c.Command.HelpName
	}
	switch {
	case name == "" && path == "clusterctl":
		return cli.ShowAppHelp(c)
	case name == "":
		return cli.ShowSubcommandHelp(c)
	}
	hint := "; see " + path + " --help"
	if near := nearest(name, commands); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return exitf(exitError, "unknown command %q%s", strings.TrimPrefix(path+" "+name, "clusterctl "), hint)
}

// wantArgs refuses more arguments than most, which is 0 or 1.
func wantArgs(c *cli.Context, most int) error {
	if n := c.Args().Len(); n > most {
		takes := "takes no argument"
		if most > 0 {
			takes = "takes one argument"
		}
		return exitf(exitError, "%s %s, not %d: %s", c.Command.FullName(), takes, n, strings.Join(c.Args().Slice(), " "))
	}
	return nil
}

// oneOf checks a flag that takes one of a few words.
func oneOf(c *cli.Context, flag string, words ...string) (string, error) {
	value := c.String(flag)
	for _, w := range words {
		if value == w {
			return value, nil
		}
	}
	last := len(words) - 1
	return "", exitf(exitError, "--%s takes %s or %s, not %q", flag, strings.Join(words[:last], ", "), words[last], value)
}
