package huawei

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// The schema has said so already; the plugin checks again because both values
// become parts of a URL, and third parties may call it without the schema.
var (
	regionPattern  = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
	projectPattern = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)
)

// Configure implements provider.Provider.
func (p *Provider) Configure(_ context.Context, cfg provider.Config) error {
	var entry struct {
		Region    string `json:"region"`
		ProjectID string `json:"project_id"`
	}
	if err := json.Unmarshal(cfg.Settings, &entry); err != nil {
		return provider.Errorf(provider.KindInvalid, "settings of the huawei entry: %w", err)
	}
	if !regionPattern.MatchString(entry.Region) {
		return provider.Errorf(provider.KindInvalid, "region must be a region id such as cn-north-4, not %q", entry.Region)
	}
	if !projectPattern.MatchString(entry.ProjectID) {
		return provider.Errorf(provider.KindInvalid, "project_id must be 1 to 64 letters and digits, not %q", entry.ProjectID)
	}
	base, err := endpoint(cfg.Endpoint, entry.Region)
	if err != nil {
		return err
	}
	s := signer{
		accessKey: cfg.Credentials[credentialAK],
		secretKey: cfg.Credentials[credentialSK],
		token:     cfg.Credentials[credentialToken],
	}
	for _, c := range []struct {
		name, value string
		optional    bool
	}{{credentialAK, s.accessKey, false}, {credentialSK, s.secretKey, false}, {credentialToken, s.token, true}} {
		if err := checkCredential(c.name, c.value, c.optional); err != nil {
			return err
		}
	}
	p.client.Store(newClient(base, entry.ProjectID, s, cfg.UserAgent, p.opts))
	return nil
}

// endpoint is the override, or the service's address in a region.
func endpoint(override, region string) (*url.URL, error) {
	if override == "" {
		return &url.URL{Scheme: "https", Host: "mrs." + region + ".myhuaweicloud.com"}, nil
	}
	u, err := url.Parse(override)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		// The parser's error would repeat a password that someone put into the URL.
		return nil, provider.Errorf(provider.KindInvalid, "endpoint must be http:// or https:// with a host and no path")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// checkCredential finds values that no key has: those that are missing, or were
// copied with a blank or a line end. It never shows them.
func checkCredential(name, value string, optional bool) error {
	fault := ""
	switch {
	case value == "" && !optional:
		fault = "is missing"
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		fault = "holds a blank or another character that no key has"
	default:
		return nil
	}
	return provider.Errorf(provider.KindUnauthenticated, "credential %s %s", name, fault)
}
