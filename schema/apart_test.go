package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOwnDefinitionsRefuseWhatIsManaged is why a cluster may be judged by its
// plugin's definition alone when that accepts it, and why probing that one
// suffices.
func TestOwnDefinitionsRefuseWhatIsManaged(t *testing.T) {
	ctx := newContext()
	for _, src := range Builtin() {
		c, err := compile(ctx, src)
		if err != nil {
			t.Fatal(err)
		}
		for kind, def := range c.kinds {
			if !def.apart {
				t.Errorf("%s: every cluster pays for the fields of clusterctl", kind)
			}
			say := func(text string, refused bool) {
				t.Helper()
				v := ctx.CompileString(text)
				if err := v.Unify(def.own).Validate(); (err != nil) != refused {
					t.Errorf("%s: %s by the plugin's own definition: %v", kind, text, err)
				}
				if err := v.Unify(def.value).Validate(); err != nil {
					t.Errorf("%s: %s by the whole definition: %v", kind, text, err)
				}
			}
			say("{}", false)
			say("protect: true", true)
			say(`max_removed: {count: 1, per: "1d"}`, true)
			say(`depends_on: ["a"]`, true)
			for _, group := range def.fields.children([]string{"node_groups"}) {
				say(fmt.Sprintf("node_groups: %q: protect: true", group), true)
				say(fmt.Sprintf("node_groups: %q: owned_by: {}", group), true)
			}
			if err := probe(ctx, src.Plugin, kind, &definition{own: def.value, ownFields: def.fields}); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestJudgedEitherWay: the short way makes of every cluster what the long one
// makes, whatever came before it.
func TestJudgedEitherWay(t *testing.T) {
	says := []string{"", "protect: true", `depends_on: ["other"]`, `node_groups: task: owned_by: count: "autoscaler"`,
		"node_groups: core: count: {min: 1, max: 9}", "node_groups: core: cuont: 3", "node_groups: core: count: 0", "protect: 3", "clumsy: 1"}
	var spec strings.Builder
	spec.WriteString("package fleet\nclusters: other: {provider: \"hw\", kind: \"mrs\"}\n")
	for i := range 3 * len(says) { // each after each other kind of cluster
		fmt.Fprintf(&spec, "clusters: c%02d: {provider: \"hw\", kind: \"mrs\", %s}\n", i, says[(i*(1+i/len(says)))%len(says)])
	}
	dir := oneFile(t, spec.String())
	read := func(short bool) (out []string) {
		l, fault := newLoader(Options{Dir: dir})
		if fault != nil {
			t.Fatal(fault.Message)
		}
		for _, c := range l.plugins {
			for _, def := range c.kinds {
				def.apart = def.apart && short
			}
		}
		fleet := l.load()
		for _, c := range fleet.Clusters {
			out = append(out, fmt.Sprintf("%s %s %s", c.Address, c.Spec, c.Rules))
		}
		for _, p := range l.problems {
			out = append(out, fmt.Sprintf("%s:%d:%d %s: %s; %s", p.File, p.Line, p.Column, p.Kind, p.Message, p.Hint))
		}
		return append(out, fleet.Digest)
	}
	long := read(false)
	if diff := cmp.Diff(long, read(true)); diff != "" {
		t.Errorf("(-long +short):\n%s", diff)
	}
	if len(long) < len(says) {
		t.Errorf("nothing was read: %q", long)
	}
}

func oneFile(t *testing.T, text string) string {
	t.Helper()
	return spec(t, map[string]string{"accounts.cue": accounts, "fleet.cue": text})
}
