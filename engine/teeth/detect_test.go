package teeth

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// detector is a test of the product that may see bugs in some files.
type detector struct {
	name string // "simulation", "./engine"
	args []string
}

const simulatedSeeds = "5000"

var (
	// simulation is the engine under a fake cloud, disk, network and clock.
	simulation = detector{"simulation", []string{"-run", "^(TestSimulation|TestLiesThatAreBorne)$", "./engine/simulation", "-seeds", simulatedSeeds, "-stop"}}
	// prefixes say whose own tests may see a bug in a file below.
	prefixes = []struct{ below, pkg string }{
		{"engine/journal/", "./engine/journal"},
		{"engine/pluginhost/", "./engine/pluginhost"},
		{"plugins/provider/", "./plugins/provider/providertest"},
		{"plugins/provider/", "./plugins/provider/rpc"},
		{"plugins/provider/", "./engine/pluginhost"},
		{"plugins/provider/exchange.go", "./plugins/huawei"},
		{"plugins/provider/exchange.go", "./plugins/qingcloud"},
		{"plugins/provider/exchange.go", "./plugins/aliyun"},
		{"plugins/huawei/", "./plugins/huawei"},
		{"plugins/qingcloud/", "./plugins/qingcloud"},
		{"plugins/aliyun/", "./plugins/aliyun"},
	}
)

// detectors are all that could see the bug.
func (b bug) detectors() []detector {
	var out []detector
	if in, ok := strings.CutPrefix(b.file, "engine/"); ok && !strings.Contains(in, "/") {
		out = append(out, simulation, ownTests("./engine"))
	}
	if strings.HasPrefix(b.file, "engine/journal/") {
		out = append(out, detector{"./engine", []string{"-failfast", "-run", "^TestNoSendWithoutADurableIntent$", "./engine"}})
	}
	for _, p := range prefixes {
		if strings.HasPrefix(b.file, p.below) {
			out = append(out, ownTests(p.pkg))
		}
	}
	if len(b.scripts) > 0 {
		run := "^TestScript$/^(" + strings.Join(b.scripts, "|") + ")$"
		out = append(out, detector{"./cmd/clusterctl", []string{"-failfast", "-run", run, "./cmd/clusterctl"}})
	}
	return out
}

func ownTests(pkg string) detector { return detector{pkg, []string{"-failfast", pkg}} }

// every lists each detector once.
func every(bugs []bug) []detector {
	var out []detector
	for _, b := range bugs {
		for _, d := range b.detectors() {
			if !slices.ContainsFunc(out, func(o detector) bool { return slices.Equal(o.args, d.args) }) {
				out = append(out, d)
			}
		}
	}
	return out
}

// timeout ends a detector that a bug keeps from coming to an end.
const timeout = "3m"

// test runs go test from the module's root. What it says is in both results;
// failed means that it is no success, for whatever reason.
func test(t *testing.T, args ...string) (output string, failed bool) {
	t.Helper()
	all := append([]string{"test", "-count=1", "-p=1", "-vet=off", "-timeout=" + timeout}, args...)
	cmd := exec.CommandContext(t.Context(), "go", all...)
	cmd.Dir = root
	b, err := cmd.CombinedOutput()
	output = string(b)
	if err != nil && (strings.Contains(output, "[build failed]") || strings.Contains(output, "[setup failed]") || !strings.Contains(output, "FAIL")) {
		t.Fatalf("go %s: %v\n%s", strings.Join(all, " "), err, output)
	}
	return output, err != nil
}

var (
	violation = regexp.MustCompile(`violation: (.+), seed (\d+):`)
	failure   = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)
	hanging   = regexp.MustCompile(`running tests:\s+(\S+)`)
)

// sees runs one detector over one bug. It returns what saw it, "" for nothing.
func (d detector) sees(t *testing.T, overlay string) string {
	t.Helper()
	output, failed := test(t, append([]string{"-overlay=" + overlay}, d.args...)...)
	if !failed {
		return ""
	}
	if m := violation.FindStringSubmatch(output); m != nil {
		return fmt.Sprintf("simulation: %s, seed %s", m[1], m[2])
	}
	name := ""
	if all := failure.FindAllStringSubmatch(output, -1); all != nil {
		for _, m := range all { // the innermost of the first
			if name == "" || strings.HasPrefix(m[1], name+"/") {
				name = m[1]
			}
		}
	} else if m := hanging.FindStringSubmatch(output); m != nil {
		name = m[1]
	}
	how := ""
	if strings.Contains(output, "panic: test timed out") {
		how = ", which does not end"
	} else if strings.Contains("\n"+output, "\npanic: ") {
		how = ", which panics"
	}
	if d.name == "simulation" && how != "" {
		return d.name + how
	}
	if name == "" {
		t.Fatalf("%s failed without naming a test:\n%s", d.name, output)
	}
	if d.name == "simulation" {
		return d.name + how
	}
	d.innocent(t, name)
	if script, ok := strings.CutPrefix(name, "TestScript/"); ok {
		return "script " + script + how
	}
	return fmt.Sprintf("test %s of %s%s", name, d.name, how)
}

// innocent demands that the test that saw a bug passes without it, so that
// nothing counts as seen because a test fails now and then.
func (d detector) innocent(t *testing.T, name string) {
	t.Helper()
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		parts = append(parts, "^"+regexp.QuoteMeta(part)+"$")
	}
	if output, failed := test(t, "-run", strings.Join(parts, "/"), d.args[len(d.args)-1]); failed {
		t.Fatalf("%s fails without the bug, too:\n%s", name, output)
	}
}
