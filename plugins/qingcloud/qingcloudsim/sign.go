package qingcloudsim

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// acceptWindow is how old a timestamp may be (API reference, request: 60
// seconds).
const acceptWindow = 60 * time.Second

// common are the parameters that every query must have (API reference, common
// parameters), with their only value where there is one. The key, which says
// who asks, comes last so that a malformed request is called malformed.
var common = []struct{ name, value string }{
	{"signature_method", "HmacSHA256"},
	{"signature_version", "1"},
	{"version", "1"},
	{"timestamp", ""},
	{"signature", ""},
	{"access_key_id", ""},
}

// authenticate checks the common parameters, the signature and its age. It
// returns the query's other parameters.
func (c *cloud) authenticate(r *http.Request, body []byte) (map[string]any, *refusal) {
	query, wire, bad := parseQuery(r.URL.RawQuery)
	if bad != nil {
		return nil, bad
	}
	for _, p := range common {
		switch {
		case query[p.name] == "":
			return nil, refuse(codeMalformed, "parameter [%s] is missing", p.name)
		case p.value != "" && query[p.name] != p.value:
			return nil, refuse(codeBadValue, "parameter [%s] must be %s", p.name, p.value)
		}
	}
	delete(query, "signature")
	for _, name := range slices.Sorted(maps.Keys(query)) {
		// The vendor's client and the vendor's sample build different
		// canonical queries here; nobody knows which the cloud takes.
		if query[name] == "" || strings.Contains(query[name], "/") {
			return nil, refuse(codeAuth, "parameter [%s]: an empty value or a slash has no settled signature", name)
		}
	}
	if query["access_key_id"] != c.opts.AccessKeyID {
		return nil, refuse(codeAuth, "access key not found")
	}
	want := signature(c.opts.SecretKey, r.Method, r.URL.EscapedPath(), query, body)
	if !hmac.Equal([]byte(wire), []byte(escape(escape(want)))) {
		return nil, refuse(codeAuth, "signature does not match")
	}
	made, err := time.Parse(stamp, query["timestamp"])
	if err != nil {
		return nil, refuse(codeMalformed, "parameter [timestamp] is not a UTC time")
	}
	// Only age is documented. Assumption: a timestamp from the future passes.
	if c.opts.Now().Sub(made) > c.window {
		return nil, refuse(codeExpired, "the request has expired")
	}
	rest := make(map[string]any, len(query))
	for name, value := range query {
		rest[name] = value
	}
	for _, p := range common {
		delete(rest, p.name)
	}
	return rest, nil
}

// parseQuery reads a raw query, and the signature as it came over the wire.
func parseQuery(raw string) (query map[string]string, wire string, bad *refusal) {
	query = map[string]string{}
	if raw == "" {
		return query, "", nil
	}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		plainName, err1 := url.QueryUnescape(name)
		plain, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || plainName == "" {
			return nil, "", refuse(codeMalformed, "the query is malformed")
		}
		if _, twice := query[plainName]; twice {
			return nil, "", refuse(codeMalformed, "parameter [%s] comes twice", plainName)
		}
		if plainName == "signature" {
			wire = value
		}
		query[plainName] = plain
	}
	return query, wire, nil
}

// signature is the base64 signature of a request (API reference, signature):
// method, path with a trailing slash, sorted query, and MD5 of the body, one
// to a line, under HMAC-SHA256.
func signature(secret, method, path string, query map[string]string, body []byte) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		pairs = append(pairs, escape(name)+"="+escape(query[name]))
	}
	hash := md5.Sum(body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strings.Join([]string{
		method, strings.TrimRight(path, "/") + "/", strings.Join(pairs, "&"), hex.EncodeToString(hash[:]),
	}, "\n")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// escape percent-encodes with upper-case hex; a space is %20.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
