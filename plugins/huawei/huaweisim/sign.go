package huaweisim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The one key pair an account takes unless cloudsim.Options name another.
const (
	AccessKeyID = "AKFAKE0000000001"
	SecretKey   = "secret-key-for-tests"
)

const (
	algorithm  = "SDK-HMAC-SHA256"
	dateFormat = "20060102T150405Z"
	// acceptWindow is how far the signing date may lie from the gateway's
	// clock on either side (API Gateway, AK/SK signing).
	acceptWindow = 15 * time.Minute
)

// authenticate checks the signature of a request as the gateway does, then the
// project as MRS does. It answers nil when both hold.
func (c *cloud) authenticate(r *http.Request, body []byte, project string) *refusal {
	if reason := c.verify(r, body); reason != "" {
		return refuse(codeSignature, reason)
	}
	if named := r.Header.Get("X-Project-Id"); named != "" && named != project {
		return refuse("12000001", "The project of the header is not the one of the path.")
	}
	if c.state.ProjectID != "" && project != c.state.ProjectID {
		return refuse("12000001", "The project is not one of the user's.")
	}
	return nil
}

// verify says why the signature does not hold; "" when it does.
func (c *cloud) verify(r *http.Request, body []byte) string {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if scheme != algorithm {
		return "No " + algorithm + " authorization."
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	if fields["Access"] != c.opts.AccessKeyID {
		return "The access key does not exist."
	}
	date := r.Header.Get("X-Sdk-Date")
	at, err := time.Parse(dateFormat, date)
	if err != nil {
		return "X-Sdk-Date is missing or malformed."
	}
	names := strings.Split(fields["SignedHeaders"], ";")
	// An unsigned date could be replaced at will, and the window with it.
	if !slices.Contains(names, "x-sdk-date") {
		return "X-Sdk-Date is not signed."
	}
	if skew := c.opts.Now().Sub(at).Abs(); skew > c.opts.AcceptWindow {
		return "The signature has expired: X-Sdk-Date is " + date + "."
	}
	canonical, reason := canonicalRequest(r, body, names)
	if reason != "" {
		return reason
	}
	digest := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(c.opts.SecretKey))
	fmt.Fprintf(mac, "%s\n%s\n%x", algorithm, date, digest)
	given, err := hex.DecodeString(fields["Signature"])
	if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
		return "The signature does not match."
	}
	return ""
}

// canonicalRequest writes the request as it was signed: method, path with a
// trailing slash, sorted query, signed headers, their names, body digest.
func canonicalRequest(r *http.Request, body []byte, names []string) (canonical, reason string) {
	if !slices.IsSorted(names) {
		return "", "SignedHeaders are not sorted."
	}
	var headers strings.Builder
	for _, name := range names {
		value := strings.Join(r.Header.Values(name), ",")
		switch {
		case name == "host":
			value = r.Host
		case name == "" || name != strings.ToLower(name) || r.Header.Values(name) == nil:
			return "", "The signed header " + name + " is missing."
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.TrimSpace(value))
	}
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return "", "The query is malformed."
	}
	path, err := canonicalPath(r.URL.EscapedPath())
	if err != nil {
		return "", "The path is malformed."
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(body))
	if stated := r.Header.Get("X-Sdk-Content-Sha256"); stated != "" {
		// Taken: a stated digest must be the body's, else the body would be
		// free to change under a signature that holds.
		if !strings.EqualFold(stated, sum) {
			return "", "X-Sdk-Content-Sha256 is not the digest of the body."
		}
		sum = stated
	}
	return strings.Join([]string{r.Method, path, query, headers.String(), strings.Join(names, ";"), sum}, "\n"), ""
}

func canonicalPath(escaped string) (string, error) {
	segments := strings.Split(escaped, "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return "", err
		}
		segments[i] = escape(plain)
	}
	path := strings.Join(segments, "/")
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	return path, nil
}

func canonicalQuery(raw string) (string, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "", err
	}
	var keys []string
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var pairs []string
	for _, key := range keys {
		for _, value := range slices.Sorted(slices.Values(values[key])) {
			pairs = append(pairs, escape(key)+"="+escape(value))
		}
	}
	return strings.Join(pairs, "&"), nil
}

// escape percent-encodes everything but the unreserved characters.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch ch := s[i]; {
		case 'A' <= ch && ch <= 'Z', 'a' <= ch && ch <= 'z', '0' <= ch && ch <= '9',
			ch == '-', ch == '_', ch == '.', ch == '~':
			b.WriteByte(ch)
		default:
			fmt.Fprintf(&b, "%%%02X", ch)
		}
	}
	return b.String()
}
