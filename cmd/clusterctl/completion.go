package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// The scripts ask clusterctl for the words: it gets what stands before the
// cursor, the word that is begun last, and prints what that may become, with an
// explanation behind a tab. Nothing printed: a file or folder is wanted. What it
// prints holds nothing that a shell would interpret.

// Bash breaks words at "=" and ":", too, and replaces only what follows.
const bashCompletion = `# clusterctl completion for bash: source <(clusterctl completion bash)
_clusterctl() {
  local line now cut words=()
  read -r -a words <<<"${COMP_LINE:0:COMP_POINT}"
  [[ "${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && words+=("")
  now="${words[${#words[@]}-1]}"
  cut="${now%"${now##*["$COMP_WORDBREAKS"]}"}"
  COMPREPLY=()
  while IFS= read -r line; do
    line="${line%%$'\t'*}"
    COMPREPLY+=("${line#"$cut"}")
  done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -o bashdefault -o default -F _clusterctl clusterctl
`

const zshCompletion = `#compdef clusterctl
# clusterctl completion for zsh: source <(clusterctl completion zsh)
_clusterctl() {
  local line
  local -a before found names shown
  before=("${(@Q)words[1,CURRENT-1]}")
  found=("${(@f)$("${before[1]}" __complete "${(@)before[2,-1]}" "${(Q)words[CURRENT]}" 2>/dev/null)}")
  for line in "${(@)found}"; do
    [[ -n "$line" ]] || continue
    names+=("${line%%$'\t'*}")
    shown+=("${line/$'\t'/  -- }")
  done
  if (( ${#names} )); then
    compadd -U -l -d shown -a names
  else
    _files
  fi
}
compdef _clusterctl clusterctl
`

const fishCompletion = `# clusterctl fish shell completion: clusterctl completion fish | source
function __clusterctl_complete
  set -l before (commandline -opc)
  set -l now (commandline -ct)
  set -l program $before[1]
  set -e before[1]
  set -l found ($program __complete $before "$now" 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\n' $found
  else
    __fish_complete_path "$now"
  end
end
complete -c clusterctl -f -a '(__clusterctl_complete)'
`

var completionScripts = map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}

// shells are those that have a script, in the order in which they are told.
var shells = []string{"bash", "zsh", "fish"}

func (sh *shell) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print a completion script", ArgsUsage: "bash|zsh|fish",
		Description: "The script completes commands, flags and their values, and the names of clusters: those of the spec in\n" +
			"   the working directory, or those that the store knows where it is about requests. Nothing is started.",
		Action: func(c *cli.Context) error {
			if err := wantArgs(c, 1); err != nil {
				return err
			}
			script, ok := completionScripts[c.Args().First()]
			if !ok {
				return exitf(exitError, "completion takes bash, zsh or fish, not %q", c.Args().First())
			}
			_, err := fmt.Fprint(sh.stdout, script)
			return err
		},
	}
}

// completeCommand is what the scripts call.
func (sh *shell) completeCommand() *cli.Command {
	return &cli.Command{
		Name: "__complete", Usage: "print what the last word may become", ArgsUsage: "WORD…", Hidden: true, SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			words := c.Args().Slice()
			if len(words) == 0 {
				return nil
			}
			for _, w := range sh.complete(c.App.Commands, words) {
				if w.about != "" {
					w.text += "\t" + w.about
				}
				if _, err := fmt.Fprintln(sh.stdout, w.text); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
