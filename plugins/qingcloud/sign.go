package qingcloud

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// timeLayout is how a request states its time, in UTC.
const timeLayout = "2006-01-02T15:04:05Z"

// percentEncode encodes with upper-case hex; a space is %20 and "-_.~" stay.
func percentEncode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// canonicalQuery is the query in the order in which it is signed. Empty values
// are left out: the vendor's client does not sign them, its sample does.
func canonicalQuery(params map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if params[name] == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(percentEncode(name) + "=" + percentEncode(params[name]))
	}
	return b.String()
}

// signature signs a request (EHPC API, signature). The path is signed with a
// slash at its end that the URL does not have, and the body by its MD5.
func signature(secret, method, path, query string, body []byte) string {
	sum := md5.Sum(body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strings.Join([]string{method, path + "/", query, hex.EncodeToString(sum[:])}, "\n")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signedQuery appends the signature, which the cloud wants encoded twice.
func signedQuery(query, signature string) string {
	return query + "&signature=" + percentEncode(percentEncode(signature))
}
