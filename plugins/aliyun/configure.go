package aliyun

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// session is what Configure settles for the life of the process.
type session struct {
	client *client
	region string
	timing *provider.Timing
}

// regionID guards the host name that the region becomes part of.
var regionID = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)

// Configure implements provider.Provider.
func (p *plugin) Configure(_ context.Context, cfg provider.Config) error {
	var settings struct {
		Region string `json:"region"`
	}
	if err := json.Unmarshal(cfg.Settings, &settings); err != nil {
		return provider.Errorf(provider.KindInvalid, "configure %s: settings: %w", cfg.Entry, err)
	}
	if !regionID.MatchString(settings.Region) {
		return provider.Errorf(provider.KindInvalid, "configure %s: region %q is not a region id", cfg.Entry, settings.Region)
	}
	base, err := baseURL(cfg.Endpoint, settings.Region)
	if err != nil {
		return provider.Errorf(provider.KindInvalid, "configure %s: %w", cfg.Entry, err)
	}
	keys := credentials{
		id:     cfg.Credentials["access_key_id"],
		secret: cfg.Credentials["access_key_secret"],
		token:  cfg.Credentials["security_token"],
	}
	for _, c := range []struct{ name, value string }{
		{"access_key_id", keys.id}, {"access_key_secret", keys.secret},
	} {
		if c.value == "" {
			return provider.Errorf(provider.KindUnauthenticated, "configure %s: credential %s is missing", cfg.Entry, c.name)
		}
	}
	for name, value := range cfg.Credentials {
		// Such a value could never be sent in a header; the cause is nearly
		// always a line end that came with a file.
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return provider.Errorf(provider.KindUnauthenticated, "configure %s: credential %s holds a space or a line end", cfg.Entry, name)
		}
	}
	agent := cfg.UserAgent
	if agent == "" {
		agent = "cluster-provider-aliyun/" + Version
	}
	c, err := newClient(base, keys, agent, p.options)
	if err != nil {
		return provider.Errorf(provider.KindInvalid, "configure %s: %w", cfg.Entry, err)
	}
	if cfg.Timing != nil {
		c.firstWait = min(c.firstWait, max(cfg.Timing.ReadLag, time.Millisecond))
	}
	p.session = &session{client: c, region: settings.Region, timing: cfg.Timing}
	return nil
}

// baseURL is the service address: the override, or the regional rule
// (Container Service for Kubernetes API, Endpoints).
func baseURL(endpoint, region string) (*url.URL, error) {
	if endpoint == "" {
		return &url.URL{Scheme: "https", Host: "cs." + region + ".aliyuncs.com"}, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		// The parser's error repeats the text, password and all.
		return nil, provider.Errorf(provider.KindInvalid, "endpoint is not a URL")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, provider.Errorf(provider.KindInvalid, "endpoint %q is not http:// or https:// and a host", u.Redacted())
	}
	return u, nil
}
