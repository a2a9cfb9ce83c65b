package schema

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAddresses(t *testing.T) {
	layered := map[string]string{
		"cue.mod/module.cue":  module,
		"fleet.cue":           accounts + "clusters: shared: {}\n",
		"envs/prod/a.cue":     "package fleet\nclusters: prod: {}\n",
		"envs/prod/sub/b.cue": "package fleet\nclusters: below: {}\n",
		"envs/dev/a.cue":      "package fleet\nclusters: dev: {}\n",
	}
	for _, test := range []struct {
		name    string
		files   map[string]string
		pattern string
		want    []string
	}{
		{"the forms of a field", map[string]string{"a.cue": "package fleet\n" +
			"clusters: a: {}\nclusters: {b: {}, \"c-1\": {}, \"分析\": {count: 3}}\nclusters: {d: e: 1} & {f: {}}\n\"clusters\": (#A)\n#A: {g: {}}\n"},
			".", []string{"a", "b", "c-1", "d", "f", "g", "分析"}},
		{"what is no key", map[string]string{"a.cue": "package fleet\n" +
			"clusters: {[string]: {kind: \"mrs\"}, _hidden: {}, #Def: {}, maybe?: {}, let x = 1, for i in [1] {\"loop-\\(i)\": {}}, ...}\nproviders: hw: {}\n"},
			".", nil},
		{"behind conditions and names", map[string]string{"a.cue": "package fleet\n" +
			"_on: true\nif _on {clusters: a: {}}\nclusters: {if _on {b: {}}\n_more}\n_more: {c: {}}\nlet more = {d: {}}\nclusters: more\n{clusters: e: {}}\n"},
			".", []string{"a", "b", "c", "d", "e"}},
		{"a circle", map[string]string{"a.cue": "package fleet\nclusters: _a & {z: {}}\n_a: _b\n_b: _a & {y: {}}\n"}, ".", []string{"y", "z"}},
		{"a file in the middle of an edit", map[string]string{"a.cue": "package fleet\nclusters: a: {}\nclusters: b: {count: \n", "b.cue": "package fleet\nclusters: c: {}\n"},
			".", []string{"a", "b", "c"}},
		{"folders above", layered, "envs/prod", []string{"prod", "shared"}},
		{"a package name", layered, "./envs/dev:fleet", []string{"dev", "shared"}},
		{"the top", layered, ".", []string{"shared"}},
		{"no such folder", layered, "envs/none", []string{"shared"}},
		{"what CUE does not take", map[string]string{"_a.cue": "clusters: a: {}", ".b.cue": "clusters: b: {}", "c.json": "{}", bindFile: "clusters: d: {}"}, ".", nil},
		{"nothing", map[string]string{}, ".", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Addresses(spec(t, test.files), test.pattern)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A link or a pipe is not opened: it may lead anywhere, and a pipe never ends.
func TestAddressesOpenPlainFilesOnly(t *testing.T) {
	dir := spec(t, map[string]string{"a.cue": "clusters: a: {}\n", "elsewhere/b.txt": "clusters: b: {}\n"})
	if err := os.Symlink(filepath.Join(dir, "elsewhere", "b.txt"), filepath.Join(dir, "b.cue")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a"}, Addresses(dir, ".")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a loaded spec has by name is offered.
func TestAddressesOfLoaded(t *testing.T) {
	fleet, _ := Load(Options{Dir: "testdata/good"})
	var want []string
	for _, c := range fleet.Clusters {
		want = append(want, c.Address)
	}
	if diff := cmp.Diff(want, Addresses(".", filepath.Join("testdata", "good"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Nobody waits for a completion.
func TestAddressesOfManyAtOnce(t *testing.T) {
	dir := spec(t, fleetOf(1000))
	begun := time.Now()
	if n := len(Addresses(dir, ".")); n != 1000 {
		t.Errorf("%d addresses", n)
	}
	if took := time.Since(begun); took > 5*time.Second { // about 30 ms on a quiet machine
		t.Errorf("it took %s", took)
	}
}
