package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// shell is what a command knows of its surroundings.
type shell struct {
	stdin          *os.File
	stdout, stderr *os.File
	getenv         func(string) string
	command        string // as typed, for people who find our lock
}

// run is main without the exit.
func run(args []string) int {
	sh := &shell{os.Stdin, os.Stdout, os.Stderr, os.Getenv, "clusterctl " + strings.Join(args[1:], " ")}
	err := sh.app().RunContext(context.Background(), args)
	if err != nil && err.Error() != "" {
		fmt.Fprintln(sh.stderr, "clusterctl: "+err.Error())
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
		HideVersion:          true,
		Suggest:              true,
		EnableBashCompletion: true,
		// The library would exit inside Run, where locks and plugins are still held.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
		Action:         sh.unknownCommand,
		Commands: []*cli.Command{
			sh.validateCommand(), sh.planCommand(), sh.applyCommand(), sh.showCommand(), sh.statusCommand(),
			sh.historyCommand(), sh.newCommand(), sh.schemaCommand(), sh.pluginCommand(),
			sh.completionCommand(), sh.versionCommand(),
		},
	}
	each(app.Commands, func(c *cli.Command) {
		c.OnUsageError = usageError
		c.CustomHelpTemplate = helpTemplate
		if c.Action != nil {
			c.Action = checked(c.Action)
		}
	})
	return app
}

// helpTemplate is the library's without its "OPTIONS" first; the usage line
// says that flags come before the argument.
const helpTemplate = `NAME:
   {{.HelpName}} - {{.Usage}}

USAGE:
   {{if .UsageText}}{{.UsageText}}{{else}}{{.HelpName}} [options] {{.ArgsUsage}}{{end}}
{{if .Description}}
DESCRIPTION:
   {{.Description}}
{{end}}{{if .VisibleFlags}}
OPTIONS:
   {{range .VisibleFlags}}{{.}}
   {{end}}{{end}}
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
	return exitf(exitError, "%v; see clusterctl%s --help", err, strings.TrimSuffix(name, " "))
}

func (sh *shell) unknownCommand(c *cli.Context) error {
	name := c.Args().First()
	if name == "" {
		return cli.ShowAppHelp(c)
	}
	hint := ""
	if near := cli.SuggestCommand(c.App.Commands, name); near != "" && near != "help" {
		hint = fmt.Sprintf("; did you mean %q?", strings.TrimSuffix(strings.TrimPrefix(near, "Did you mean \""), "\"?"))
	}
	return exitf(exitError, "unknown command %q%s", name, hint)
}

// wantArgs refuses too many arguments.
func wantArgs(c *cli.Context, most int) error {
	if n := c.Args().Len(); n > most {
		return exitf(exitError, "%s takes at most %d argument(s), got %d: %s", c.Command.FullName(), most, n, strings.Join(c.Args().Slice(), " "))
	}
	return nil
}

// terminal reports whether a file is one.
func terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// colour reports whether f may be painted: on a terminal, unless NO_COLOR says
// no.
func (sh *shell) colour(f *os.File) bool {
	return terminal(f) && sh.getenv("NO_COLOR") == "" && sh.getenv("TERM") != "dumb"
}

// oneOf checks a flag that takes one of a few words.
func oneOf(c *cli.Context, flag string, words ...string) (string, error) {
	value := c.String(flag)
	for _, w := range words {
		if value == w {
			return value, nil
		}
	}
	return "", exitf(exitError, "--%s takes %s, not %q", flag, strings.Join(words, " or "), value)
}

// write puts data where --out says, or on w.
func writeFile(path string, data []byte, w io.Writer) error {
	if path == "" || path == "-" {
		_, err := w.Write(data)
		return err
	}
	return saveFile(path, data)
}
