package qingcloud

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
	schema "github.com/clusterctl/clusterctl/schema/qingcloud"
)

// defaultEndpoint is the newer of the two hosts that the vendor's pages name.
const defaultEndpoint = "https://hpc.api.qingcloud.com"

// account is one configured providers entry.
type account struct {
	settings
	*client
}

// settings are the entry's own fields.
type settings struct {
	Zone  string `json:"zone"`
	Owner string `json:"owner"`
	UID   *int64 `json:"uid_number"`
	GID   *int64 `json:"gid_number"`
}

// Configure implements provider.Provider.
func (p *plugin) Configure(_ context.Context, cfg provider.Config) error {
	var s settings
	if err := json.Unmarshal(cfg.Settings, &s); err != nil {
		return provider.Errorf(provider.KindInvalid, "providers entry %s: %w", cfg.Entry, err)
	}
	switch {
	case s.Zone == "":
		return provider.Errorf(provider.KindInvalid, "providers entry %s: zone is not set", cfg.Entry)
	case !strings.HasPrefix(s.Owner, "usr-"):
		return provider.Errorf(provider.KindInvalid, "providers entry %s: owner must be a user id such as usr-8rhqe0n7, not %q", cfg.Entry, s.Owner)
	case s.UID == nil || s.GID == nil:
		return provider.Errorf(provider.KindInvalid, "providers entry %s: uid_number and gid_number must be set", cfg.Entry)
	}
	base, err := baseURL(cfg)
	if err != nil {
		return err
	}
	for _, name := range []string{"access_key_id", "secret_access_key"} {
		value := cfg.Credentials[name]
		if value == "" {
			return provider.Errorf(provider.KindUnauthenticated, "providers entry %s: credential %s is not set", cfg.Entry, name)
		}
		if strings.ContainsFunc(value, unprintable) || strings.ContainsRune(value, ' ') {
			return provider.Errorf(provider.KindUnauthenticated, "providers entry %s: credential %s holds a space or a control character", cfg.Entry, name)
		}
	}
	c := newClient(base, cfg.Credentials["access_key_id"], cfg.Credentials["secret_access_key"])
	c.now, c.jitter, c.agent = p.now, p.jitter, cfg.UserAgent
	if cfg.Timing != nil {
		// A simulator's clocks run faster than the cloud's: so do retries.
		c.firstWait = min(c.firstWait, cfg.Timing.ReadLag)
	}
	p.account.Store(&account{settings: s, client: c})
	return nil
}

// baseURL is the entry's endpoint, or the cloud's own.
func baseURL(cfg provider.Config) (string, error) {
	if cfg.Endpoint == "" {
		return defaultEndpoint, nil
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", provider.Errorf(provider.KindInvalid, "providers entry %s: endpoint must be http:// or https:// with a host and no path", cfg.Entry)
	}
	// Requests carry the administrator's password.
	for _, domain := range schema.Domains {
		if u.Scheme == "http" && (u.Hostname() == domain || strings.HasSuffix(u.Hostname(), "."+domain)) {
			return "", provider.Errorf(provider.KindInvalid, "providers entry %s: endpoint must be https:// for hosts of %s", cfg.Entry, domain)
		}
	}
	return u.Scheme + "://" + u.Host, nil
}

func unprintable(r rune) bool { return r < ' ' || r == 0x7f }
