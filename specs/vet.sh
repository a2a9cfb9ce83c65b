#!/bin/sh
# The stock cue command, offline: it accepts the schemas and the example specs,
# and refuses what a schema can see.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export CUE_REGISTRY=none CUE_CACHE_DIR="$dir/cache"
go build -modfile=tools.mod -o "$dir/cue" cuelang.org/go/cmd/cue
cue="$dir/cue"

for cloud in huawei qingcloud aliyun policy; do
  "$cue" fmt --check "./schema/$cloud"
  "$cue" vet -c=false "./schema/$cloud"
done
"$cue" fmt --check ./specs/...

cp -R specs/fleet.cue "$dir/"
mkdir "$dir/fleet" "$dir/layers"
mv "$dir/fleet.cue" "$dir/fleet/"
cp -R specs/layers/. "$dir/layers/"
bin/clusterctl schema sync "$dir/fleet" >/dev/null
bin/clusterctl schema sync --package campus "$dir/layers" >/dev/null
accept() { (cd "$1" && "$cue" vet -c "$2") || { echo "cue vet refuses $1 $2" >&2; exit 1; }; }
accept "$dir/fleet" .
accept "$dir/layers" ./envs/prod
accept "$dir/layers" ./envs/dev

# refuse SED-SCRIPT WHAT edits the fleet and wants cue vet to see it.
refuse() {
  sed "$1" specs/fleet.cue >"$dir/fleet/fleet.cue"
  if cmp -s specs/fleet.cue "$dir/fleet/fleet.cue"; then echo "nothing was changed for: $2" >&2; exit 1; fi
  if (cd "$dir/fleet" && "$cue" vet -c . >/dev/null 2>&1); then echo "cue vet accepts $2" >&2; exit 1; fi
}
for count in '{min: 2, max: 6}' '{min: 0, max: 0}' 'int | *3'; do
  sed "s/count: *10\$/count: $count/" specs/fleet.cue >"$dir/fleet/fleet.cue"
  accept "$dir/fleet" .
done
refuse 's/cpu: 4, memory: 12288/cpu: 3, memory: 12288/' 'cpu 3'
refuse 's/core: count: 5/core: count: 501/' '501 Core nodes'
refuse 's/key_pair:/keypair:/' 'a typo'
refuse 's/worker_data_disk_size: *240/worker_data_disk_size: 199/' 'a data disk of 199 GiB'
refuse 's/kind: "mrs"/kind: "msr"/' 'an unknown kind'
refuse 's/region: "cn-north-4", //' 'an entry without its region'
refuse 's/count: *10$/count: {min: 2, max: 501}/' 'a range up to 501 Task nodes'
refuse 's/count: *10$/count: {min: 6, max: 2}/' 'a range that ends before it begins'
refuse 's/count: *10$/count: {min: 2, maxx: 6}/' 'a typo in a range'
refuse 's/count: *10$/count: {min: 2}/' 'a range without its max'
echo "cue vet accepts the schemas and specs, and refuses 10 of 10 faults."
