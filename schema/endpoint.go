package schema

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// checkEndpoint says whether signed requests, and the passwords in them, may
// go to endpoint: to this machine, to the cloud's own hosts, and to those that
// the lock allows. Who writes a spec must not be able to send them elsewhere.
func checkEndpoint(endpoint string, domains []string, allowed lock) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("endpoint must be http:// or https:// with a host")
	case u.User != nil:
		return fmt.Errorf("endpoint must not hold a user or password")
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("endpoint must not have a query or fragment")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	switch {
	case isLoopback(endpoint), allowed.allows(host), allowed.allows(u.Host):
		return nil
	case !inDomains(host, domains):
		return fmt.Errorf("endpoint host %s is neither this machine nor one of the cloud's (%s)", host, strings.Join(domains, ", "))
	case u.Scheme != "https":
		return fmt.Errorf("endpoint %s must use https: requests to a cloud carry secrets", host)
	}
	return nil
}

func inDomains(host string, domains []string) bool {
	for _, d := range domains {
		d = strings.ToLower(strings.TrimPrefix(d, "."))
		if d != "" && (host == d || strings.HasSuffix(host, "."+d)) {
			return true
		}
	}
	return false
}

// isLoopback says whether endpoint is on this machine.
func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// timingOf reads the two clocks of a simulator.
func timingOf(acceptWindow, readLag string) (*provider.Timing, error) {
	var t provider.Timing
	for _, clock := range []struct {
		name, text string
		to         *time.Duration
	}{{"accept_window", acceptWindow, &t.AcceptWindow}, {"read_lag", readLag, &t.ReadLag}} {
		d, err := time.ParseDuration(clock.text)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("timing.%s must be a duration such as 2s or 500ms, not %q", clock.name, clock.text)
		}
		*clock.to = d
	}
	return &t, nil
}

// timingFrom reads "accept_window=2s,read_lag=200ms".
func timingFrom(text string) (*provider.Timing, error) {
	clocks := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || name != "accept_window" && name != "read_lag" {
			return nil, fmt.Errorf("want accept_window=…,read_lag=…, not %q", text)
		}
		clocks[name] = value
	}
	return timingOf(clocks["accept_window"], clocks["read_lag"])
}

// CheckEndpoint judges an entry that does not come from a spec but from a saved
// plan, by the rules of a spec: its endpoint and clocks may have been written
// by somebody else. The lock is that of the module around dir.
func CheckEndpoint(dir, endpoint string, timing *provider.Timing, domains []string) error {
	if timing != nil && !isLoopback(endpoint) {
		return errors.New("timing is for simulators: it needs an endpoint on this machine")
	}
	if endpoint == "" {
		return nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	t := &tree{dir: dir, root: dir}
	if root := t.moduleRoot(); root != "" {
		t.root = root
	}
	allowed, err := t.readLock()
	if err != nil {
		return err
	}
	return checkEndpoint(endpoint, domains, allowed)
}
