//go:build unix

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/aliyun/aliyunsim"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// frozenClouds are the three simulators with a clock in which jobs never end by
// themselves. Once let go, every request finds them a job further.
type frozenClouds struct {
	sims    map[string]*cloudsim.Server
	example map[string][]byte
	env     []string

	mu    sync.Mutex
	ahead time.Duration
	going bool
	marks map[string]int // entries of earlier rounds
}

const (
	frozenJob = time.Hour
	// frozenWindow is longer than all the jumps of the clock in a round.
	frozenWindow = 100_000 * time.Hour
)

func newFrozenClouds(t *testing.T) *frozenClouds {
	t.Helper()
	plugin, err := exec.LookPath("cluster-provider-huawei")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	c := &frozenClouds{sims: map[string]*cloudsim.Server{}, example: map[string][]byte{}, marks: map[string]int{}, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(), "USER=operator",
		"CCTL_PLUGIN_DIR=" + filepath.Dir(plugin), "CCTL_TIMING=accept_window=3s,read_lag=20ms",
		"CCTL_SECRET_EHPC=Simulated-1", "CCTL_SECRET_ACK=Simulated-1",
		"HUAWEICLOUD_SDK_AK=" + huaweisim.AccessKeyID, "HUAWEICLOUD_SDK_SK=" + huaweisim.SecretKey,
		"QINGCLOUD_ACCESS_KEY_ID=" + qingcloudsim.AccessKeyID, "QINGCLOUD_SECRET_ACCESS_KEY=" + qingcloudsim.SecretKey,
		"ALIBABA_CLOUD_ACCESS_KEY_ID=" + aliyunsim.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + aliyunsim.SecretKey,
	}}
	for name, sim := range map[string]struct {
		build   func(cloudsim.Options) *cloudsim.Server
		example func() []byte
	}{
		"huawei":    {huaweisim.New, huaweisim.Example},
		"qingcloud": {qingcloudsim.New, qingcloudsim.Example},
		"aliyun":    {aliyunsim.New, aliyunsim.Example},
	} {
		s := sim.build(cloudsim.Options{Now: c.now, JobTime: frozenJob, AcceptWindow: frozenWindow})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.arrive()
			s.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		c.sims[name], c.example[name] = s, sim.example()
		c.env = append(c.env, "CCTL_ENDPOINT_"+strings.ToUpper(name)+"="+server.URL)
	}
	c.reset(t)
	return c
}

func (c *frozenClouds) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *frozenClouds) arrive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.going {
		c.ahead += frozenJob
	}
}

// reset puts the clouds back to where they began, standing still.
func (c *frozenClouds) reset(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	c.ahead, c.going = 0, false
	c.mu.Unlock()
	for name, sim := range c.sims {
		sim.Cloud(func(cloud cloudsim.Cloud) {
			if err := cloud.Restore(c.example[name]); err != nil {
				t.Fatal(err)
			}
		})
		c.marks[name] = len(sim.Log().Entries())
	}
}

// letGo lets jobs end.
func (c *frozenClouds) letGo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.going = true
}

// audit is what happened since reset, cloud by cloud.
func (c *frozenClouds) audit() (entries []cloudsim.Entry) {
	for name, sim := range c.sims {
		sim.Cloud(func(cloudsim.Cloud) {}) // jobs that are due are part of it
		entries = append(entries, sim.Log().Entries()[c.marks[name]:]...)
	}
	return entries
}

// planFiles makes saved plans and spec folders, each once.
type planFiles struct {
	clouds *frozenClouds
	dir    string
	made   map[string]string
}

// spec is a folder with the example fleet; more nodes than usual are wanted of
// the clusters whose counts the contests vary.
func (p *planFiles) spec(t *testing.T, more int) string {
	t.Helper()
	return p.once("spec "+strconv.Itoa(more), func(dir string) {
		fleet, err := os.ReadFile("../../specs/fleet.cue")
		if err != nil {
			t.Fatal(err)
		}
		text := string(fleet)
		for _, wanted := range []struct {
			line  string
			count int
		}{{"count:    %d\n\t\t\tkey_pair", secureWanted}, {"core: count: %d\n", coreWanted}} {
			before := fmt.Sprintf(wanted.line, wanted.count)
			if strings.Count(text, before) != 1 {
				t.Fatalf("the example fleet does not hold %q once", before)
			}
			text = strings.Replace(text, before, fmt.Sprintf(wanted.line, wanted.count+more), 1)
		}
		if err := os.WriteFile(filepath.Join(dir, "fleet.cue"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

// What the example fleet wants where the contests want more.
const (
	secureWanted = 4
	coreWanted   = 5
)

// plan is a saved plan of a folder, the copy-th that somebody made. Even ones
// were made before there was a store, odd ones with an empty store.
func (p *planFiles) plan(t *testing.T, more, copy int, targets []string) string {
	t.Helper()
	spec := p.spec(t, more)
	dir := p.once(fmt.Sprint("plan ", more, copy, targets), func(dir string) {
		args := []string{"plan", "--out", filepath.Join(dir, "plan.json")}
		for _, name := range targets {
			args = append(args, "--target", name)
		}
		store := filepath.Join(dir, "store")
		if copy%2 == 1 {
			if _, err := journal.OpenFile(store, journal.CreateNow, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(context.Background(), "clusterctl", append(args, spec)...)
		cmd.Env = append([]string{"CCTL_STORE=" + store}, p.clouds.env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
	return filepath.Join(dir, "plan.json")
}

func (p *planFiles) once(key string, fill func(dir string)) string {
	if dir, ok := p.made[key]; ok {
		return dir
	}
	dir := filepath.Join(p.dir, strconv.Itoa(len(p.made)))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		panic(err) // a folder of the test's own
	}
	fill(dir)
	p.made[key] = dir
	return dir
}
