#!/usr/bin/env bash
# Runs one command of clusterctl for action.yml. Its exit code, its Markdown and
# its plan become outputs; the action ends with the code when the comment stands.
# This script fails only when it is used wrongly.
set -euo pipefail

# A given value is written so that it stays on its line.
fail() {
  printf 'clusterctl action: %s %q\n' "$1" "${2:-}" >&2
  exit 1
}

# A delimiter that nobody can guess keeps values from being taken for more outputs.
random() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

output() {
  local mark
  mark=$(random)
  printf '%s<<%s\n%s\n%s\n' "$1" "$mark" "$2" "$mark" >>"$GITHUB_OUTPUT"
}

# What clusterctl prints quotes specs, and a line of theirs could be a workflow
# command. The runner takes none until it reads the same random word again.
quietly() {
  local mark code=0
  mark=$(random)
  printf '::stop-commands::%s\n' "$mark"
  "$@" 2>&1 || code=$?
  printf '\n::%s::\n' "$mark"
  return "$code"
}

dir=$RUNNER_TEMP/clusterctl
mkdir -p "$dir"
PATH=${INPUT_BIN:-$dir/bin}:$PATH
tool=${INPUT_BIN:-$dir/bin}/clusterctl
[ -x "$tool" ] || fail "there is no clusterctl in" "${INPUT_BIN:-$dir/bin}"
if [ -n "$INPUT_VERSION" ]; then
  found=$("$tool" version)
  [[ $found == "clusterctl $INPUT_VERSION "* ]] || fail "another version is wanted; this is" "$found"
fi

args=()
while IFS= read -r line; do
  [ -z "$line" ] || args+=("$line")
done <<<"$INPUT_ARGS"

# A directory is never taken for a flag.
spec=$INPUT_SPEC
case "$spec" in -*) spec=./$spec ;; esac

# Each use of the action in a job keeps its own Markdown.
markdown=$(mktemp -d "$dir/$$.XXXXXX")/comment.md
: >"$markdown"
code=0
changed=
plan=

case "$INPUT_COMMAND" in
  validate)
    quietly "$tool" validate ${args[@]+"${args[@]}"} "$spec" || code=$?
    about=("$tool" validate ${args[@]+"${args[@]}"})
    last=("$spec")
    ;;
  diff)
    base=$INPUT_BASE
    [ -n "$base" ] || base=$(jq -r '.pull_request.base.sha // empty' "$GITHUB_EVENT_PATH")
    [ -n "$base" ] || fail "name a base, as the event is not of a pull request:" "$GITHUB_EVENT_NAME"
    about=("$tool" diff "--spec=$spec" ${args[@]+"${args[@]}"})
    last=("$base")
    quietly "${about[@]}" "${last[@]}" || true
    "${about[@]}" --detailed-exitcode --format markdown "${last[@]}" >"$markdown" 2>/dev/null || code=$?
    changed=$([ "$code" = 2 ] && echo true || echo false)
    ;;
  plan)
    plan=${INPUT_PLAN_FILE:-$dir/plan.json}
    rm -f -- "$plan"
    run() { "$tool" plan ${args[@]+"${args[@]}"} --detailed-exitcode "--out=$plan" --format markdown "$spec" >"$markdown"; }
    quietly run || code=$?
    if [ -s "$plan" ]; then
      changed=$(jq -r '.actions | length > 0' "$plan")
      quietly "$tool" show "$plan"
    else
      plan=
    fi
    ;;
  apply)
    plan=$INPUT_PLAN_FILE
    [ -f "$plan" ] || fail "apply takes a saved plan; there is no file" "$plan"
    case "$plan" in -*) plan=./$plan ;; esac
    run() { "$tool" apply ${args[@]+"${args[@]}"} --format markdown "$plan" >"$markdown"; }
    quietly run || code=$?
    # With these codes nothing was sent; with any other a cloud may have changed.
    case "$code" in
      1 | 3 | 4 | 7) changed=false ;;
      *) changed=$(jq -r '.actions | length > 0' "$plan") ;;
    esac
    ;;
  *) fail "command is validate, diff, plan, apply or comment, not" "$INPUT_COMMAND" ;;
esac

case "$INPUT_COMMAND" in
  validate | diff)
    # Its own commands: every value in them is escaped.
    "${about[@]}" --format github "${last[@]}" 2>/dev/null || true
    if [ -n "$INPUT_SARIF_FILE" ]; then
      "${about[@]}" --format sarif "${last[@]}" >"$INPUT_SARIF_FILE" 2>/dev/null || true
    fi
    ;;
  plan)
    # From the saved plan: no cloud is asked again. Without one the spec may say why.
    if [ -n "$plan" ]; then
      "$tool" show --format github "$plan" 2>/dev/null || true
    else
      "$tool" validate --format github "$spec" 2>/dev/null || true
    fi
    ;;
esac

if [ -s "$markdown" ]; then
  cat "$markdown" >>"$GITHUB_STEP_SUMMARY"
  output comment-file "$markdown"
fi
output exit-code "$code"
output changed "$changed"
output plan-file "$plan"
