package aliyunsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The vendor's page "V3 request body and signature mechanism" (V3版本请求体&签名机制)
// describes all of this file: one algorithm, the headers it needs, and a clock
// that may be off by 15 minutes.
const (
	algorithm = "ACS3-HMAC-SHA256"
	version   = "2015-12-15"
	dateForm  = "2006-01-02T15:04:05Z"
	skew      = 15 * time.Minute
)

// nonce is a signature nonce that was used, kept while its message could
// still be taken.
type nonce struct {
	value string
	until time.Time
}

// admit is the gateway's check of a request: nil when it may pass. The page
// does not list the codes; they are the gateway's customary ones (choice).
func (c *cloud) admit(r *http.Request, body []byte) *refusal {
	no := func(status int, code, message string) *refusal {
		e := gateway(status, code, message)
		return &e
	}
	kind, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if kind != algorithm {
		// The older HMAC-SHA1 ("acs key:signature") is discontinued.
		return no(http.StatusBadRequest, "IncompleteSignature", "The request signature does not conform to Aliyun standards.")
	}
	auth := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		auth[name] = value
	}
	for _, name := range []string{"X-Acs-Action", "X-Acs-Version", "X-Acs-Date", "X-Acs-Signature-Nonce", "X-Acs-Content-Sha256"} {
		if r.Header.Get(name) == "" {
			return no(http.StatusBadRequest, "Missing"+strings.ReplaceAll(name, "-", ""), strings.ToLower(name)+" is mandatory for this action.")
		}
	}
	signed := signedHeaders(r)
	if auth["SignedHeaders"] != strings.Join(signed, ";") {
		return no(http.StatusBadRequest, "IncompleteSignature", "host, content-type and every x-acs header must be signed, in order.")
	}
	date, err := time.Parse(dateForm, r.Header.Get("X-Acs-Date"))
	now, window := c.opts.Now(), c.opts.AcceptWindow
	if window == 0 {
		window = skew
	}
	// A shortened window says how long a request lives, not how fast a clock
	// may be: that side keeps the documented skew.
	if err != nil || now.Sub(date) > window || date.Sub(now) > max(window, skew) {
		return no(http.StatusBadRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	if auth["Credential"] != c.opts.AccessKeyID {
		return no(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	// A session's requests name the key once more, beside the token.
	if r.Header.Get("X-Acs-Security-Token") != "" && r.Header.Get("X-Acs-Accesskey-Id") != c.opts.AccessKeyID {
		return no(http.StatusBadRequest, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.")
	}
	want := signature(c.opts.SecretKey, stringToSign(r, signed, body))
	if !hmac.Equal([]byte(want), []byte(auth["Signature"])) || r.Header.Get("X-Acs-Content-Sha256") != hexHash(body) {
		return no(http.StatusBadRequest, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
	}
	if !c.fresh(r.Header.Get("X-Acs-Signature-Nonce"), now, date.Add(window)) {
		return no(http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	return nil
}

// fresh reports whether a nonce is new, and remembers it.
func (c *cloud) fresh(value string, now, until time.Time) bool {
	for len(c.recent) > 0 && c.recent[0].until.Before(now) {
		delete(c.nonces, c.recent[0].value)
		c.recent = c.recent[1:]
	}
	if c.nonces[value] {
		return false
	}
	c.nonces[value] = true
	c.recent = append(c.recent, nonce{value, until})
	return true
}

// signedHeaders lists what must be signed of a request.
func signedHeaders(r *http.Request) []string {
	names := []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, "x-acs-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// stringToSign is the algorithm and the hash of the canonical request.
func stringToSign(r *http.Request, signed []string, body []byte) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.URL.EscapedPath() + "\n" + canonicalQuery(r.URL.RawQuery) + "\n")
	for _, name := range signed {
		value := r.Host
		if name != "host" {
			values := slices.Clone(r.Header.Values(name))
			slices.Sort(values)
			value = strings.Join(values, ",")
		}
		b.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + hexHash(body))
	return algorithm + "\n" + hexHash([]byte(b.String()))
}

// canonicalQuery sorts and encodes a query anew, so that a client may send it
// in any order and with any legal escapes.
func canonicalQuery(raw string) string {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return raw
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		slices.Sort(values[name])
		for _, value := range values[name] {
			pairs = append(pairs, encode(name)+"="+encode(value))
		}
	}
	return strings.Join(pairs, "&")
}

// encode is RFC 3986: QueryEscape but for the blank.
func encode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

func signature(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, text)
	return hex.EncodeToString(mac.Sum(nil))
}

func hexHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func readAll(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	return io.ReadAll(r.Body)
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}
