package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/render"
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

func (sh *shell) pluginTable(list []listedPlugin) error {
	table := [][]string{{"PLUGIN", "VERSION", "KINDS", "SHA256", "PATH"}}
	for _, p := range list {
		kinds := ""
		for i, k := range p.Kinds {
			if i > 0 {
				kinds += ", "
			}
			kinds += k
		}
		if p.Error != "" {
			kinds = p.Error
		}
		table = append(table, []string{p.Name, p.Version, kinds, p.SHA256[:12], p.Path})
	}
	if len(list) == 0 {
		fmt.Fprintln(sh.stdout, "No plugins were found beside this binary, in --plugin-dir, or in the user's plugin folder.")
		return nil
	}
	return render.Table(sh.stdout, table, sh.colour(sh.stdout))
}

const bashCompletion = `# clusterctl completion for bash: source <(clusterctl completion bash)
_clusterctl() {
  local words=("${COMP_WORDS[@]:0:$COMP_CWORD}")
  COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "${COMP_WORDS[$COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _clusterctl clusterctl
`

const zshCompletion = `#compdef clusterctl
# clusterctl completion for zsh: source <(clusterctl completion zsh)
_clusterctl() {
  local -a opts
  opts=("${(@f)$(${words[@]:0:#words[@]-1} --generate-bash-completion 2>/dev/null)}")
  _describe 'values' opts
  _files
}
compdef _clusterctl clusterctl
`

func (sh *shell) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print a completion script", ArgsUsage: "bash|zsh|fish",
		Action: func(c *cli.Context) error {
			var script string
			var err error
			switch c.Args().First() {
			case "bash":
				script = bashCompletion
			case "zsh":
				script = zshCompletion
			case "fish":
				script, err = c.App.ToFishCompletion()
			default:
				return exitf(exitError, "completion takes bash, zsh or fish, not %q", c.Args().First())
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(sh.stdout, script)
			return err
		},
	}
}
