// Command cloudsim serves simulators of the three clouds on loopback, so that
// a newcomer can plan and apply without an account:
//
//	cloudsim --env sim.env &
//	. ./sim.env
//
// It prints the variables to export and serves until it is interrupted. Each
// cloud has its own port; the
// admin calls under /_sim/ (package cloudsim) inject faults, change things from
// outside, and show the audit log.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/google/renameio/v2/maybe"

	"github.com/clusterctl/clusterctl/plugins/aliyun/aliyunsim"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], func(text string) { fmt.Print(text) }); err != nil {
		fmt.Fprintln(os.Stderr, "cloudsim: "+err.Error())
		os.Exit(1)
	}
}

// cloud is one simulator and how to reach it.
type cloud struct {
	name      string
	build     func(cloudsim.Options) *cloudsim.Server
	example   func() []byte
	fleet     func(int) []byte
	variables [][2]string // customary variable and made-up key
}

var clouds = []cloud{
	{"huawei", huaweisim.New, huaweisim.Example, huaweisim.Fleet, [][2]string{
		{"HUAWEICLOUD_SDK_AK", huaweisim.AccessKeyID}, {"HUAWEICLOUD_SDK_SK", huaweisim.SecretKey}}},
	{"qingcloud", qingcloudsim.New, qingcloudsim.Example, qingcloudsim.Fleet, [][2]string{
		{"QINGCLOUD_ACCESS_KEY_ID", qingcloudsim.AccessKeyID}, {"QINGCLOUD_SECRET_ACCESS_KEY", qingcloudsim.SecretKey}}},
	{"aliyun", aliyunsim.New, aliyunsim.Example, aliyunsim.Fleet, [][2]string{
		{"ALIBABA_CLOUD_ACCESS_KEY_ID", aliyunsim.AccessKeyID}, {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", aliyunsim.SecretKey}}},
}

// run serves until ctx ends. ready gets the variables when all clouds are up.
func run(ctx context.Context, args []string, ready func(string)) error {
	flags := flag.NewFlagSet("cloudsim", flag.ContinueOnError)
	host := flags.String("host", "127.0.0.1", "loopback `address` to serve on")
	port := flags.Int("port", 0, "first of three `ports`; 0: free ones")
	state := flags.String("state", "", "keep the clouds' state in `FILE`")
	env := flags.String("env", "", "also write the variables to `FILE`, when all clouds are served")
	fleet := flags.Int("fleet", 0, "start with `N` made-up clusters per cloud in place of the example")
	jobTime := flags.Duration("job-time", 2*time.Second, "how long a change takes")
	window := flags.Duration("accept-window", 5*time.Second, "how long after its signature a request is taken")
	lag := flags.Duration("read-lag", 300*time.Millisecond, "what the plugins are told of how late a read may be")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no argument of cloudsim; it takes flags only", flags.Arg(0))
	}
	if ip := net.ParseIP(*host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("--host %s is not a loopback address; a simulator is not for others", *host)
	}
	keeper := &keeper{path: *state, states: map[string]json.RawMessage{}}
	if err := keeper.load(); err != nil {
		return err
	}
	text := fmt.Sprintf("export CCTL_TIMING=accept_window=%s,read_lag=%s\n", *window, *lag)
	var servers []*http.Server
	failed := make(chan error, len(clouds))
	for i, c := range clouds {
		sim := c.build(cloudsim.Options{AcceptWindow: *window, JobTime: *jobTime, History: 64})
		if err := restore(sim, keeper.states[c.name], c, *fleet); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if *state != "" {
			sim.OnChange = func(b []byte) { keeper.save(c.name, b) }
		}
		at := 0
		if *port != 0 {
			at = *port + i
		}
		l, err := net.Listen("tcp", net.JoinHostPort(*host, fmt.Sprint(at)))
		if err != nil {
			return err
		}
		server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, server)
		go func() { failed <- server.Serve(l) }()
		text += fmt.Sprintf("export CCTL_ENDPOINT_%s=http://%s\n", upper(c.name), l.Addr())
		for _, v := range c.variables {
			text += fmt.Sprintf("export %s=%s\n", v[0], v[1])
		}
	}
	text += "export CCTL_SECRET_EHPC=Simulated-1 CCTL_SECRET_ACK=Simulated-1\n"
	if *env != "" {
		if err := maybe.WriteFile(*env, []byte(text), 0o600); err != nil {
			return err
		}
	}
	ready(text)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for _, s := range servers {
		_ = s.Close() // nothing to wait for: the state is saved at every change
	}
	return errors.Join(err, keeper.failed())
}

func upper(name string) string {
	b := []byte(name)
	for i := range b {
		b[i] -= 'a' - 'A'
	}
	return string(b)
}

func restore(sim *cloudsim.Server, saved []byte, c cloud, fleet int) error {
	switch {
	case saved != nil:
	case fleet > 0:
		saved = c.fleet(fleet)
	default:
		saved = c.example()
	}
	var err error
	sim.Cloud(func(cloud cloudsim.Cloud) { err = cloud.Restore(saved) })
	return err
}

// keeper keeps the three states in one file.
type keeper struct {
	path   string
	mu     sync.Mutex
	states map[string]json.RawMessage
	err    error
}

func (k *keeper) load() error {
	if k.path == "" {
		return nil
	}
	b, err := os.ReadFile(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &k.states); err != nil {
		return fmt.Errorf("%s: %w", k.path, err)
	}
	return nil
}

// save replaces the file; a fault is told when the program ends.
func (k *keeper) save(name string, state []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.states[name] = state
	b, err := json.MarshalIndent(k.states, "", "  ")
	if err == nil {
		err = maybe.WriteFile(k.path, append(b, '\n'), 0o600)
	}
	if err != nil {
		k.err = err
	}
}

func (k *keeper) failed() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}
