package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
)

// hostFolder turns the test binary into a host that starts the plugin "good"
// from the named folder three times and waits for ever.
const hostFolder = "CCTL_TEST_HOST"

// TestMain lets the test binary stand in for plugins: a link to it named
// cluster-provider-<mode> behaves as that mode says. A plugin's environment is
// empty, so that the name is all there is to tell it.
func TestMain(m *testing.M) {
	if mode, ok := pluginName(filepath.Base(os.Args[0])); ok {
		bePlugin(mode)
		return
	}
	if dir := os.Getenv(hostFolder); dir != "" {
		beHost(dir)
		return
	}
	os.Exit(m.Run())
}

func beHost(dir string) {
	h := &Host{Dirs: []string{dir}}
	b, err := h.Find("good")
	if err == nil {
		// Several, because none may hold another's death pipe open.
		_, err = h.StartAll(context.Background(), []Binary{b, b, b})
	}
	fmt.Println("started:", err)
	select {}
}

func bePlugin(mode string) {
	forever := func() { io.Copy(io.Discard, os.NewFile(3, "death pipe")) }
	switch mode {
	case "garbage":
		fmt.Println("\x1b[31mhello, I am a web server")
		forever()
	case "endless":
		for {
			fmt.Print(strings.Repeat("no newline ", 1000))
		}
	case "version2":
		fmt.Println("1|2|unix|/nowhere|grpc|" + strings.Repeat("A", 60))
		forever()
	case "core9":
		fmt.Println("9|1|unix|/nowhere|grpc|" + strings.Repeat("A", 60))
		forever()
	case "nocert":
		fmt.Println("1|1|unix|/nowhere|grpc|")
		forever()
	case "netrpc":
		fmt.Println("1|1|unix|/nowhere|netrpc|" + strings.Repeat("A", 60))
		forever()
	case "nosocket":
		fmt.Println("1|1|unix|/nowhere|grpc|" + strings.Repeat("A", 60))
		forever()
	case "exits":
		fmt.Fprintln(os.Stderr, "cannot find my wallet")
		os.Exit(7)
	case "othercookie":
		os.Unsetenv(rpc.Handshake.MagicCookieKey)
		rpc.Serve(&fake{mode: mode})
	case "silent":
		forever()
	case "stubborn":
		rpc.Serve(&fake{mode: mode})
		forever()
	default:
		holdAlive()
		rpc.Serve(&fake{mode: mode})
	}
}

// holdAlive keeps a named pipe beside the binary open, whose reader then sees
// this process end.
func holdAlive() {
	// Not closed: that is the kernel's to do.
	if f, err := os.OpenFile(filepath.Join(filepath.Dir(os.Args[0]), "alive"), os.O_WRONLY, 0); err == nil {
		kept = f
	}
}

var kept *os.File

// fake is the plugins' provider. What Poll, Start and Observe do stands in the
// handle, the request and the address.
type fake struct {
	mode   string
	config provider.Config
}

func (f *fake) Describe(context.Context) (*provider.Description, error) {
	files := map[string][]byte{"a.cue": []byte("package a")}
	d := &provider.Description{Name: f.mode, Version: "1.2.3", Schema: provider.Schema{Files: files, Digest: provider.SchemaDigest(files)}}
	switch f.mode {
	case "misnamed":
		d.Name = "other"
	case "otherdigest":
		d.Schema.Digest = "sha256:0"
	case "quoting":
		d.Capabilities = []string{provider.CapQuote}
	case "panics":
		panic("no description today")
	}
	return d, nil
}

func (f *fake) Configure(_ context.Context, c provider.Config) error {
	f.config = c
	if c.Entry == "bad" {
		return provider.Errorf(provider.KindInvalid, "the key %s is malformed", c.Credentials["secret_key"])
	}
	return nil
}

func (f *fake) Observe(ctx context.Context, r provider.ObserveRequest, yield func(provider.Observation) error) error {
	for _, k := range r.Keys {
		if err := f.act(ctx, k.Address); err != nil {
			return err
		}
		if err := yield(provider.Observation{Address: k.Address, Error: provider.Errorf(provider.KindDenied, "key %s", f.config.Credentials["secret_key"])}); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) Plan(ctx context.Context, r provider.PlanRequest) (provider.PlanResponse, error) {
	return provider.PlanResponse{Clusters: make([]provider.ClusterPlan, len(r.Clusters))}, f.act(ctx, r.Clusters[0].Desired.Address)
}

func (f *fake) Start(ctx context.Context, r provider.StartRequest) provider.Answer {
	if err := f.act(ctx, string(r.Request)); err != nil {
		return provider.Answer{Error: provider.AsError(err)}
	}
	return provider.Answer{Outcome: provider.OutcomeAccepted, Error: provider.Errorf(provider.KindInternal, "sent %s", r.Secrets["login_password"])}
}

func (f *fake) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	progress := ""
	switch op := string(ops[0].Handle); op {
	case "surroundings":
		progress = surroundings()
	default:
		if err := f.act(ctx, op); err != nil {
			return nil, err
		}
	}
	return []provider.OperationStatus{{Progress: progress}}, nil
}

func (f *fake) Quote(context.Context, []byte) (provider.Price, error) {
	return provider.Price{Amount: 1.5, Currency: "CNY"}, nil
}

// act does what a test wants of a plugin in the middle of a call.
func (f *fake) act(ctx context.Context, what string) error {
	switch what {
	case "exit":
		fmt.Fprintln(os.Stderr, "\x1b[2J\x1b]0;title\x07the disk is \x1b[1mfull\x1b[0m", f.config.Credentials["secret_key"])
		os.Exit(3)
	case "crash":
		done := make(chan struct{})
		go func() { defer close(done); panic("nobody recovers me") }()
		<-done
	case "hang":
		<-ctx.Done()
		select {}
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	case "flood":
		// As a plugin does that knows nothing of go-plugin: both streams,
		// both before and after they were exchanged.
		for n := range 20_000 {
			fmt.Fprintf(os.Stderr, "line %d %s\n", n, strings.Repeat("x", 100))
			fmt.Printf("out %d\n", n)
		}
		fmt.Fprint(os.Stderr, strings.Repeat("y", 4<<20), "\nlast\n")
	case "big":
		return errors.New(strings.Repeat("z", provider.MaxMessage+1))
	}
	return signalSelf(what)
}

func surroundings() string {
	dir, _ := os.Getwd()
	in, _ := os.Stdin.Stat()
	null, _ := os.Stat(os.DevNull)
	return string(provider.Raw(place{
		Environment: os.Environ(), Dir: dir, NullStdin: os.SameFile(in, null), Pid: os.Getpid(), Group: group(),
	}))
}

// place is where a plugin finds itself.
type place struct {
	Environment []string
	Dir         string
	NullStdin   bool
	Pid, Group  int
}

func placeOf(t *testing.T, p *Plugin) place {
	t.Helper()
	found, err := p.Poll(context.Background(), []provider.Operation{{Handle: []byte("surroundings")}})
	if err != nil {
		t.Fatal(err)
	}
	var out place
	if err := json.Unmarshal([]byte(found[0].Progress), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// install makes plugins of these modes and returns their folder.
func install(t *testing.T, modes ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, mode := range modes {
		if err := os.Symlink(self, filepath.Join(dir, Prefix+mode+suffix())); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// start starts a plugin of that mode; the test closes it.
func start(t *testing.T, h Host, mode string) *Plugin {
	t.Helper()
	p, err := tryStart(t, h, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func tryStart(t *testing.T, h Host, mode string) (*Plugin, error) {
	t.Helper()
	h.Dirs = []string{install(t, mode)}
	b, err := h.Find(mode)
	if err != nil {
		t.Fatal(err)
	}
	return h.Start(context.Background(), b)
}
