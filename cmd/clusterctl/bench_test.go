package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
)

// fleetOf writes a spec of n MRS clusters that match huaweisim.Fleet(n).
func fleetOf(tb testing.TB, n int) string {
	tb.Helper()
	var b bytes.Buffer
	fmt.Fprintln(&b, "package fleet")
	fmt.Fprintln(&b, `providers: hw: {plugin: "huawei", region: "cn-north-4", project_id: "0123456789abcdef0123456789abcdef"}`)
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "clusters: c%05d: {\n\tprovider: \"hw\", kind: \"mrs\", id: \"00000000-0000-4000-8000-%012d\"\n"+
			"\tnode_groups: {master: count: 2, core: count: 3, task: count: 2}\n}\n", i, i)
	}
	dir := tb.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fleet.cue"), b.Bytes(), 0o600); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// wholePlan is one run of the whole program: its processes, and what the cloud
// was asked.
type wholePlan struct {
	dir string
	env []string
	sim *cloudsim.Server
}

func newWholePlan(tb testing.TB, n int) *wholePlan {
	tb.Helper()
	sim := huaweisim.New(cloudsim.Options{})
	sim.Cloud(func(c cloudsim.Cloud) {
		if err := c.Restore(huaweisim.Fleet(n)); err != nil {
			tb.Fatal(err)
		}
	})
	server := httptest.NewServer(sim)
	tb.Cleanup(server.Close)
	plugin, err := exec.LookPath("cluster-provider-huawei")
	if err != nil {
		tb.Fatal(err)
	}
	return &wholePlan{dir: fleetOf(tb, n), sim: sim, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + tb.TempDir(), "TMPDIR=" + os.TempDir(),
		"CCTL_PLUGIN_DIR=" + filepath.Dir(plugin), "CCTL_STORE=" + filepath.Join(tb.TempDir(), "store"),
		"CCTL_ENDPOINT_HUAWEI=" + server.URL,
		"HUAWEICLOUD_SDK_AK=" + huaweisim.AccessKeyID, "HUAWEICLOUD_SDK_SK=" + huaweisim.SecretKey,
	}}
}

// run plans once and returns the CPU time of all processes and the peak of
// their memory together, in MiB.
func (w *wholePlan) run(tb testing.TB) (cpu time.Duration, peak float64) {
	tb.Helper()
	cmd := exec.Command("clusterctl", "plan")
	cmd.Dir, cmd.Env = w.dir, w.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				peak = max(peak, residentMiB(cmd.Process.Pid))
			}
		}
	}()
	err := cmd.Wait()
	close(stop)
	<-watched
	if err != nil || !strings.Contains(out.String(), "No changes.") {
		tb.Fatalf("%v\n%s", err, out.String())
	}
	// The plugin is reaped by clusterctl, so its time is in here too.
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak
}

// residentMiB adds up the resident memory of a process and its children.
func residentMiB(pid int) float64 {
	total := 0.0
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	pids := append(strings.Fields(string(children)), strconv.Itoa(pid))
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range tasks {
		if t.Name() == strconv.Itoa(pid) {
			continue
		}
		more, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		pids = append(pids, strings.Fields(string(more))...)
	}
	for _, p := range pids {
		b, err := os.ReadFile("/proc/" + p + "/statm")
		if err != nil {
			continue
		}
		fields := strings.Fields(string(b))
		if len(fields) > 1 {
			pages, _ := strconv.Atoi(fields[1])
			total += float64(pages*os.Getpagesize()) / (1 << 20)
		}
	}
	return total
}

// BenchmarkWholePlan plans fleets that need no change, with the program and its
// plugin as processes of their own.
func BenchmarkWholePlan(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			w := newWholePlan(b, n)
			var cpu time.Duration
			var peak float64
			for b.Loop() {
				c, p := w.run(b)
				cpu += c
				peak = max(peak, p)
			}
			requests := 0
			for _, calls := range w.sim.Log().Calls() {
				requests += calls
			}
			b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms/op")
			b.ReportMetric(peak, "peak-MiB")
			b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
		})
	}
}

// TestRequestsOfPlan is the promise that reading costs one list call per page
// and none per cluster.
func TestRequestsOfPlan(t *testing.T) {
	w := newWholePlan(t, 250)
	w.run(t)
	calls := w.sim.Log().Calls()
	if len(calls) != 1 || calls["ListClusters"] != 3 {
		t.Errorf("250 clusters took %v, want 3 pages of ListClusters and nothing else", calls)
	}
}
