package huawei

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	signAlgorithm = "SDK-HMAC-SHA256"
	signDate      = "20060102T150405Z"

	headerDate  = "X-Sdk-Date"
	headerToken = "X-Security-Token"
)

// signer signs requests with an access key (MRS API, AK/SK authentication).
type signer struct {
	accessKey string
	secretKey string
	token     string // of temporary keys
}

// sign sets the date, the token of temporary keys and the Authorization header.
// Host and the named headers are signed with them; the user agent is not, so
// that a proxy may rewrite it.
func (s signer) sign(req *http.Request, body []byte, now time.Time, headers ...string) {
	date := now.UTC().Format(signDate)
	req.Header.Set(headerDate, date)
	signed := []string{"host", strings.ToLower(headerDate)}
	if s.token != "" {
		req.Header.Set(headerToken, s.token)
		signed = append(signed, strings.ToLower(headerToken))
	}
	for _, name := range headers {
		signed = append(signed, strings.ToLower(name))
	}
	slices.Sort(signed)

	var canonical strings.Builder
	canonical.WriteString(req.Method + "\n" + canonicalPath(req.URL.Path) + "\n" + encodeQuery(req.URL.Query()) + "\n")
	for _, name := range signed {
		value := req.Header.Get(name)
		if name == "host" {
			value = hostOf(req)
		}
		canonical.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	names := strings.Join(signed, ";")
	canonical.WriteString("\n" + names + "\n" + sum(body))

	mac := hmac.New(sha256.New, []byte(s.secretKey))
	mac.Write([]byte(signAlgorithm + "\n" + date + "\n" + sum([]byte(canonical.String()))))
	req.Header.Set("Authorization", signAlgorithm+" Access="+s.accessKey+
		", SignedHeaders="+names+", Signature="+hex.EncodeToString(mac.Sum(nil)))
}

func hostOf(req *http.Request) string {
	if req.Host != "" {
		return req.Host
	}
	return req.URL.Host
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// canonicalPath encodes each segment and ends with a slash.
func canonicalPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = encode(segment)
	}
	path = strings.Join(segments, "/")
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	return path
}

// encodeQuery encodes a query as the signature wants it: sorted, blanks as
// %20. The request goes out with the same text.
func encodeQuery(query url.Values) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(query)) {
		for _, value := range slices.Sorted(slices.Values(query[key])) {
			pairs = append(pairs, encode(key)+"="+encode(value))
		}
	}
	return strings.Join(pairs, "&")
}

// encode escapes everything but unreserved characters.
func encode(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}
