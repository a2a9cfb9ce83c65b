package pluginhost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
)

// StartAll starts one process for each binary, all together. When one fails
// the others are closed again and the error names every one that failed.
func (h *Host) StartAll(ctx context.Context, binaries []Binary) ([]*Plugin, error) {
	plugins := make([]*Plugin, len(binaries))
	errs := make([]error, len(binaries))
	var wg sync.WaitGroup
	for i, b := range binaries {
		wg.Go(func() { plugins[i], errs[i] = h.Start(ctx, b) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		for _, p := range plugins {
			if p != nil {
				wg.Go(p.Close)
			}
		}
		wg.Wait()
		return nil, err
	}
	return plugins, nil
}

// Start starts a process of b and asks it to describe itself. The file must
// still be the one that Find saw. When ctx ends first, the process is killed.
func (h *Host) Start(ctx context.Context, b Binary) (*Plugin, error) {
	sum, err := digest(b.Path)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", b.Name, err)
	}
	if sum != b.SHA256 {
		return nil, fmt.Errorf("plugin %s: %s has changed since it was looked up (sha256 %s, now %s)", b.Name, b.Path, b.SHA256, sum)
	}
	secrets := &secrets{}
	p := &Plugin{Binary: b, host: h, secrets: secrets, output: &output{secrets: secrets}}
	if h.Log != nil {
		p.output.log = func(line string) { h.Log(b.Name, line) }
	}
	limit := cmp.Or(h.StartTimeout, 20*time.Second)
	starting, stop := context.WithTimeout(ctx, limit)
	defer stop()
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  rpc.Handshake,
		VersionedPlugins: rpc.Plugins(nil),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     limit + time.Minute, // ours ends first and says more
		Logger:           hclog.NewNullLogger(),
		GRPCDialOptions:  rpc.DialOptions(),
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: socketFolder()},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, dir string) (runner.Runner, error) {
			// go-plugin does not wait for a runner that it starts; this is
			// where ours becomes known.
			p.process = newProcess(b.Path, dir, cmd.Env, p.output)
			context.AfterFunc(starting, func() {
				if !p.ready.Load() {
					_ = p.process.Kill(context.Background())
				}
			})
			return p.process, nil
		},
	})
	if err := p.connect(starting); err != nil {
		err = p.startError(ctx, starting, limit, err)
		p.Close()
		return nil, err
	}
	return p, nil
}

// connect does what can fail once there is, or should be, a process.
func (p *Plugin) connect(ctx context.Context) error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	conn, ok := protocol.(*plugin.GRPCClient)
	if !ok {
		return errors.New("it does not speak gRPC")
	}
	next, d, err := rpc.Connect(ctx, p.Binary.Name, conn.Conn)
	if err != nil {
		return err
	}
	if d.Name != p.Binary.Name {
		return fmt.Errorf("it calls itself %q; a plugin's file is named after it", d.Name)
	}
	if sum := provider.SchemaDigest(d.Schema.Files); sum != d.Schema.Digest {
		return fmt.Errorf("its schema's digest is %s, it says %s", sum, d.Schema.Digest)
	}
	// From here on the end of the caller's context is no reason to kill it.
	p.ready.Store(true)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.Provider = p.supervise(next)
	return nil
}

// startError says what of all that was noticed is the cause.
func (p *Plugin) startError(ctx, starting context.Context, limit time.Duration, err error) error {
	name := p.Binary.Name
	if p.process == nil {
		return fmt.Errorf("plugin %s: start: %w", name, err)
	}
	if problem := p.process.failure(); problem != nil {
		return fmt.Errorf("plugin %s: start: %w%s", name, problem, p.lastLines())
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("plugin %s: start: %w", name, ctx.Err())
	case starting.Err() != nil:
		return fmt.Errorf("plugin %s: start: it was not ready within %s%s", name, limit, p.lastLines())
	}
	var call *rpc.CallError
	lost := false
	if errors.As(err, &call) {
		err, lost = call.Err, call.Lost
	}
	// A process that dies breaks its connection a moment before it is reaped.
	if (lost && p.exitedSoon() || p.exitedNow()) && !p.process.killedByHost() {
		return fmt.Errorf("plugin %s: start: %w before it was ready%s", name, p.process.gone(), p.lastLines())
	}
	p.Close() // what it printed is all here once it has ended
	return fmt.Errorf("plugin %s: start: %w%s", name, err, p.lastLines())
}

// socketFolder is where the private folder with the plugin's socket is made.
// A socket's path has room for about a hundred bytes, which a long TMPDIR uses
// up.
func socketFolder() string {
	const room = 60
	dir := os.TempDir()
	if len(dir) > room && runtime.GOOS != "windows" {
		return "/tmp"
	}
	return dir
}

// lastLines is the end of the plugin's output, for the end of an error.
func (p *Plugin) lastLines() string {
	lines := p.output.last()
	if len(lines) == 0 {
		return ""
	}
	return "; its last lines:\n  | " + strings.Join(lines, "\n  | ")
}
