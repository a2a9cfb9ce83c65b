package pluginhost

import (
	"cmp"
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// exitDelay bounds the wait for a process whose connection broke: its exit
// reason and last lines make the error, but a plugin may also live on.
const exitDelay = 2 * time.Second

// Plugin is a running plugin process.
type Plugin struct {
	// Provider speaks to the process. Pass it on, and not the Plugin: it also
	// implements provider.Quoter when the plugin declares CapQuote.
	provider.Provider
	Binary Binary

	host    *Host
	client  *plugin.Client
	process *process
	output  *output
	secrets *secrets
	ready   atomic.Bool
	closing sync.Once
}

// Exited is closed when the process has ended, for whatever reason.
func (p *Plugin) Exited() <-chan struct{} { return p.process.exited }

// LastLines is the end of what the process printed, oldest line first, without
// escapes and secrets.
func (p *Plugin) LastLines() []string { return p.output.last() }

// Close asks the process to exit, kills it if it does not within the host's
// grace period, and returns when it is reaped. Calls under way fail; let Start
// calls return first. Safe to call more than once.
func (p *Plugin) Close() {
	p.closing.Do(func() {
		if p.process == nil {
			return
		}
		timer := time.AfterFunc(cmp.Or(p.host.Grace, 3*time.Second), func() {
			_ = p.process.Kill(context.Background())
		})
		// go-plugin's request to exit has no deadline; the timer ends it.
		p.client.Kill()
		timer.Stop()
		if p.process.ID() != "" {
			// After a failed start go-plugin may have let go of it.
			_ = p.process.Kill(context.Background())
			<-p.process.exited
		}
		os.RemoveAll(p.process.dir)
	})
}

// exitedSoon waits a moment for the process to be reaped.
func (p *Plugin) exitedSoon() bool {
	timer := time.NewTimer(exitDelay)
	defer timer.Stop()
	select {
	case <-p.process.exited:
		return true
	case <-timer.C:
		return false
	}
}

// exitedNow says whether the process is known to be reaped.
func (p *Plugin) exitedNow() bool {
	select {
	case <-p.process.exited:
		return true
	default:
		return false
	}
}
