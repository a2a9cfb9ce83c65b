package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/clusterctl/clusterctl/plugins/aliyun"
	"github.com/clusterctl/clusterctl/plugins/aliyun/aliyunsim"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
	"github.com/clusterctl/clusterctl/plugins/qingcloud"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

var update = flag.Bool("update", false, "rewrite golden output in the scripts")

func TestMain(m *testing.M) {
	// Scripts wait for clouds most of the time, not for a processor.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"clusterctl":                 clusterctlMain,
		"cluster-provider-huawei":    func() { rpc.Serve(huawei.New()) },
		"cluster-provider-qingcloud": func() { rpc.Serve(qingcloud.New()) },
		"cluster-provider-aliyun":    func() { rpc.Serve(aliyun.New()) },
	})
}

// TestScript runs every script with real plugin processes. Scripts that need
// clouds begin with the command cloudsim; each command of ours says what it does.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cloudsim":   startClouds,
			"sim":        askCloud,
			"audit":      printAudit,
			"calls":      printCalls,
			"waitcall":   waitForCall,
			"await":      awaitText,
			"exits":      exits,
			"dialogue":   dialogue,
			"selfsigned": startSelfSigned,
			"subst":      subst,
		},
	})
}

func setup(env *testscript.Env) error {
	plugin, err := exec.LookPath("cluster-provider-huawei")
	if err != nil {
		return err
	}
	specs, err := filepath.Abs("../../specs")
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars,
		"CCTL_PLUGIN_DIR="+filepath.Dir(plugin),
		"CCTL_STORE="+filepath.Join(env.WorkDir, "store"),
		"SPECS="+specs,
		"CLUSTERCTL="+filepath.Join(filepath.Dir(plugin), "clusterctl"),
		"HOME="+env.WorkDir,
		"HTTP_PROXY=", "HTTPS_PROXY=", "http_proxy=", "https_proxy=",
		"TERM=dumb",
	)
	env.Values["clouds"] = map[string]*cloudsim.Server{}
	names := []string{"CCTL_TIMING", "CCTL_SECRET_EHPC", "CCTL_SECRET_ACK", "NO_COLOR"}
	for _, cloud := range []string{"HUAWEI", "QINGCLOUD", "ALIYUN"} {
		names = append(names, "CCTL_ENDPOINT_"+cloud)
	}
	for _, name := range env.Vars {
		name, _, _ = strings.Cut(name, "=")
		names = append(names, name)
	}
	env.Values["variables"] = append(names, "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "QINGCLOUD_ACCESS_KEY_ID",
		"QINGCLOUD_SECRET_ACCESS_KEY", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
	return nil
}

// clouds are the simulators of a script.
func clouds(ts *testscript.TestScript) map[string]*cloudsim.Server {
	return ts.Value("clouds").(map[string]*cloudsim.Server)
}

// startClouds serves the example clouds and exports what cmd/cloudsim prints.
//
//	cloudsim [-empty] [job-time]
func startClouds(ts *testscript.TestScript, neg bool, args []string) {
	jobTime := 300 * time.Millisecond
	empty := false
	for _, arg := range args {
		if arg == "-empty" {
			empty = true
			continue
		}
		var err error
		jobTime, err = time.ParseDuration(arg)
		ts.Check(err)
	}
	for _, c := range []struct {
		name    string
		build   func(cloudsim.Options) *cloudsim.Server
		example func() []byte
		vars    map[string]string
	}{
		{"huawei", huaweisim.New, huaweisim.Example, map[string]string{"HUAWEICLOUD_SDK_AK": huaweisim.AccessKeyID, "HUAWEICLOUD_SDK_SK": huaweisim.SecretKey}},
		{"qingcloud", qingcloudsim.New, qingcloudsim.Example, map[string]string{"QINGCLOUD_ACCESS_KEY_ID": qingcloudsim.AccessKeyID, "QINGCLOUD_SECRET_ACCESS_KEY": qingcloudsim.SecretKey}},
		{"aliyun", aliyunsim.New, aliyunsim.Example, map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": aliyunsim.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": aliyunsim.SecretKey}},
	} {
		sim := c.build(cloudsim.Options{JobTime: jobTime, AcceptWindow: 3 * time.Second, History: 64})
		if !empty {
			sim.Cloud(func(cl cloudsim.Cloud) { ts.Check(cl.Restore(c.example())) })
		}
		server := httptest.NewServer(sim)
		server.Config.ErrorLog = nil
		ts.Defer(server.Close)
		clouds(ts)[c.name] = sim
		ts.Setenv("CCTL_ENDPOINT_"+strings.ToUpper(c.name), server.URL)
		ts.Setenv("SIM_"+strings.ToUpper(c.name), server.URL)
		for name, value := range c.vars {
			ts.Setenv(name, value)
		}
	}
	ts.Setenv("CCTL_TIMING", "accept_window=3s,read_lag=100ms")
	ts.Setenv("CCTL_SECRET_EHPC", "Simulated-1")
	ts.Setenv("CCTL_SECRET_ACK", "Simulated-1")
}

// startSelfSigned exports, as VARIABLE, the address of an https server whose
// certificate nobody has signed.
//
//	selfsigned VARIABLE
func startSelfSigned(ts *testscript.TestScript, neg bool, args []string) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

// askCloud sends an admin call to a simulator and prints the answer.
//
//	sim CLOUD METHOD CALL [BODY]
func askCloud(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: sim CLOUD METHOD CALL [BODY]")
	}
	var body io.Reader
	if len(args) > 3 {
		body = strings.NewReader(args[3])
	}
	req := httptest.NewRequest(args[1], "/_sim/"+args[2], body)
	rec := httptest.NewRecorder()
	clouds(ts)[args[0]].ServeHTTP(rec, req)
	if (rec.Code != http.StatusOK) != neg {
		ts.Fatalf("sim %s: %d %s", strings.Join(args, " "), rec.Code, rec.Body)
	}
	fmt.Fprint(ts.Stdout(), rec.Body)
}

// printAudit prints the audit logs of all clouds: one line per event, cluster
// by cluster, as clusters run side by side.
func printAudit(ts *testscript.TestScript, neg bool, args []string) {
	w := ts.Stdout() // also when there is nothing to print
	for _, name := range []string{"huawei", "qingcloud", "aliyun"} {
		sim := clouds(ts)[name]
		sim.Cloud(func(cloudsim.Cloud) {}) // jobs that are due are part of it
		entries := sim.Log().Entries()
		slices.SortStableFunc(entries, func(a, b cloudsim.Entry) int { return strings.Compare(a.Cluster, b.Cluster) })
		for _, e := range entries {
			fields := []string{name, e.Event, e.Call, e.Cluster, e.Group, e.Outcome, e.Code}
			if e.Count != 0 {
				fields = append(fields, fmt.Sprint(e.Count))
			}
			if len(e.Nodes) > 0 {
				fields = append(fields, fmt.Sprintf("%d nodes", len(e.Nodes)))
			}
			if e.Fault != "" {
				fields = append(fields, "("+e.Fault+")")
			}
			// Creates and resizes run side by side, so ids come in any order.
			fields[3] = newCluster.ReplaceAllString(fields[3], "$1-new")
			fields = slices.DeleteFunc(fields, func(s string) bool { return s == "" })
			fmt.Fprintln(w, strings.Join(fields, " "))
		}
	}
}

// newCluster is an id that QingCloud's simulator gave.
var newCluster = regexp.MustCompile(`^(e?hpc)-0\d+$`)

// printCalls prints how often each API call of a cloud came in.
//
//	calls CLOUD
func printCalls(ts *testscript.TestScript, neg bool, args []string) {
	calls := clouds(ts)[args[0]].Log().Calls()
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		fmt.Fprintf(ts.Stdout(), "%s %d\n", name, calls[name])
	}
}

// waitForCall waits until an API call has come in.
//
//	waitcall CLOUD CALL
func waitForCall(ts *testscript.TestScript, neg bool, args []string) {
	deadline := time.Now().Add(30 * time.Second)
	for clouds(ts)[args[0]].Log().Calls()[args[1]] == 0 {
		if time.Now().After(deadline) {
			ts.Fatalf("no %s came in", args[1])
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// awaitText waits until a file has a text; the file may not be there yet.
//
//	await FILE REGEXP
func awaitText(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE REGEXP")
	}
	want := regexp.MustCompile("(?m)" + args[1])
	deadline := time.Now().Add(time.Minute)
	for {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && want.Match(text) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s has no %s: %v\n%s", args[0], args[1], err, text)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// exits runs a command and demands its exit code.
//
//	exits CODE COMMAND ARG…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if err != nil {
		if !asExit(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit %d, want %s", code, args[0])
	}
}

func asExit(err error, target **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*target = e
	return ok
}

// moving is what differs from run to run in output.
var moving = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ?`), "TIME"},
	{regexp.MustCompile(`(?m)^\d\d:\d\d:\d\dZ `), ""},
	{regexp.MustCompile(` in [0-9.]+ (ms|s|min \d+ s)`), " in TIME"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\dZ?\b`), "CLOCK"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "LOOPBACK"},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:SUM"},
	{regexp.MustCompile(`"hash": "[0-9a-f]{64}"`), `"hash": "SUM"`},
	{regexp.MustCompile(`"duration": \d+`), `"duration": 0`},
	{regexp.MustCompile(`\r?\x1b\[[0-9;]*[A-Za-z]`), ""},
}

// subst copies a file with everything that moves taken out.
//
//	subst FROM TO
func subst(ts *testscript.TestScript, neg bool, args []string) {
	text := []byte(ts.ReadFile(args[0]))
	for _, m := range moving {
		text = m.pattern.ReplaceAll(text, []byte(m.with))
	}
	text = bytes.ReplaceAll(text, []byte(ts.Getenv("WORK")), []byte("$WORK"))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o600))
}
