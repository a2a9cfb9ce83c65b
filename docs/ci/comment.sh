#!/usr/bin/env bash
# Writes COMMENT_FILE as one comment of a pull request: updates the comment that
# begins with the same first line, or makes it.
#
#   COMMENT_FILE     the Markdown; its first line is clusterctl's marker
#   COMMENT_NUMBER   the pull request; by default that of the event
#   COMMENT_AUTHOR   login that the token writes as; others' comments are not touched
#   GITHUB_TOKEN     may write to pull requests
#   GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_EVENT_PATH, RUNNER_TEMP   as runners set them
set -euo pipefail

fail() {
  printf 'comment: %s\n' "$1" >&2
  exit 1
}

work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/comment.XXXXXX")
trap 'rm -rf -- "$work"' EXIT

# call METHOD PATH [FILE] prints the answer. The token stands in no argument,
# where other processes would read it. A POST is not repeated: a lost answer
# would mean two comments.
call() {
  local more=(--request "$1")
  [ "$1" = POST ] || more+=(--retry 3)
  [ $# -lt 3 ] || more+=(--data-binary "@$3")
  curl -q --silent --show-error --fail --max-time 60 "${more[@]}" \
    --header @<(printf 'Authorization: Bearer %s\n' "$GITHUB_TOKEN") \
    --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28' \
    --header 'Content-Type: application/json' "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/$2"
}

# The file may come from a fork: it is text, and must be what clusterctl writes.
[ -f "$COMMENT_FILE" ] && [ ! -L "$COMMENT_FILE" ] || fail "there is no file to post"
[ "$(wc -c <"$COMMENT_FILE")" -le 65536 ] || fail "the comment is longer than GitHub takes"
IFS= read -r marker <"$COMMENT_FILE" || true
[[ $marker == '<!-- clusterctl '*' -->' ]] || fail "the file does not begin with clusterctl's marker line"

# Which pull request is told by the event, never by the file: who can write the
# file could name any other one.
number=${COMMENT_NUMBER:-}
if [ -z "$number" ]; then
  number=$(jq -r '.pull_request.number // empty' "$GITHUB_EVENT_PATH")
fi
if [ -z "$number" ]; then
  # An event of a finished workflow lists no pull requests of forks: look for the
  # open one from that branch that is still at that commit.
  query=$(jq -r '.workflow_run // empty | "\(.head_repository.owner.login):\(.head_branch)" | @uri' "$GITHUB_EVENT_PATH")
  [ -n "$query" ] || fail "the event is not of a pull request"
  call GET "pulls?state=open&per_page=100&head=$query" >"$work/pulls"
  number=$(jq -r --slurpfile event "$GITHUB_EVENT_PATH" '$event[0].workflow_run as $run
    | [.[] | select(.head.sha == $run.head_sha and .head.repo.full_name == $run.head_repository.full_name)][0].number // empty' "$work/pulls")
  if [ -z "$number" ]; then
    echo "comment: no open pull request is at that commit any more; nothing is posted"
    exit 0
  fi
fi
[[ $number =~ ^[0-9]+$ ]] || fail "a pull request has a number"

# Anyone may write the marker: only our own comment is ours to change.
id=
for ((page = 1; ; page++)); do
  call GET "issues/$number/comments?per_page=100&page=$page" >"$work/comments"
  id=$(jq -r --arg marker "$marker" --arg author "$COMMENT_AUTHOR" '[.[]
    | select(.user.login == $author and ((.body // "") | split("\n")[0] | rtrimstr("\r")) == $marker)][0].id // empty' "$work/comments")
  [ -z "$id" ] && [ "$(jq length "$work/comments")" -eq 100 ] || break
done

jq -Rs '{body: .}' <"$COMMENT_FILE" >"$work/body"
if [ -n "$id" ]; then
  call PATCH "issues/comments/$id" "$work/body" >"$work/answer"
  echo "comment: updated comment $id of pull request $number"
else
  call POST "issues/$number/comments" "$work/body" >"$work/answer"
  echo "comment: commented on pull request $number"
fi
