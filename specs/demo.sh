#!/bin/sh
# The five systems end to end against simulated clouds on loopback: validate,
# plan, apply, plan again. Everything it starts and writes is gone at the end.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
bin/cloudsim --env "$dir/sim.env" >/dev/null &
sim=$!
trap 'kill $sim 2>/dev/null; wait $sim 2>/dev/null || true; rm -rf "$dir"' EXIT INT TERM
until [ -s "$dir/sim.env" ]; do kill -0 $sim; sleep 0.1; done
. "$dir/sim.env"
export CCTL_STORE="$dir/store"

step() { printf '\n$ %s\n' "$*"; "$@"; }
step bin/clusterctl validate specs
step bin/clusterctl plan --out "$dir/plan.json" specs
step bin/clusterctl apply --new-store=now "$dir/plan.json"
step bin/clusterctl plan specs
step bin/clusterctl history
