package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// The library completes flags only when the word that was begun is passed on,
// and commands only when it is not.
const bashCompletion = `# clusterctl completion for bash: source <(clusterctl completion bash)
_clusterctl() {
  local now="${COMP_WORDS[$COMP_CWORD]}" words=("${COMP_WORDS[@]:0:$COMP_CWORD}")
  [[ "$now" == -* ]] && words+=("$now")
  COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$now"))
}
complete -o bashdefault -o default -F _clusterctl clusterctl
`

const zshCompletion = `#compdef clusterctl
# clusterctl completion for zsh: source <(clusterctl completion zsh)
_clusterctl() {
  local -a before found
  before=("${(@)words[1,CURRENT-1]}")
  [[ "${words[CURRENT]}" == -* ]] && before+=("${words[CURRENT]}")
  found=("${(@f)$(_CLI_ZSH_AUTOCOMPLETE_HACK=1 "${(@)before}" --generate-bash-completion 2>/dev/null)}")
  [[ -n "${found[1]}" ]] && _describe 'clusterctl' found
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
			if err := wantArgs(c, 1); err != nil {
				return err
			}
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
