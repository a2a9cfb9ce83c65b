package qingcloud

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

// The vectors were made from the vendor's description with another
// implementation.
func TestSignatureVectors(t *testing.T) {
	tests := []struct {
		name, method, path string
		params             map[string]string
		body               string
		query, signature   string
	}{
		{
			name: "get", method: "GET", path: "/api/cluster/list",
			params:    map[string]string{"zone": "jn1a", "owner": "usr-abc"},
			query:     "access_key_id=AKEXAMPLE&owner=usr-abc&signature_method=HmacSHA256&signature_version=1&timestamp=2026-01-02T03%3A04%3A05Z&version=1&zone=jn1a",
			signature: "aAj9eul1iwcxzjCCRtC50MNY17j%252BpcaDTADPf1vUgrY%253D",
		},
		{
			name: "post", method: "POST", path: "/api/cluster/resizeCluster",
			body:      `{"cluster_id": "ehpc-gk3wfc7e", "cpu": "4", "memory": "12288", "node_role": "compute", "zone": "jn1a"}`,
			query:     "access_key_id=AKEXAMPLE&signature_method=HmacSHA256&signature_version=1&timestamp=2026-01-02T03%3A04%3A05Z&version=1",
			signature: "0R0u8K%252BgcxkadbJRg0nfH6DJfHiV0Y0FeVTjpCNZbxE%253D",
		},
		{
			name: "empty values are left out", method: "GET", path: "/api/cluster/list",
			params:    map[string]string{"zone": "jn1a", "owner": "usr-abc", "cluster_id": ""},
			query:     "access_key_id=AKEXAMPLE&owner=usr-abc&signature_method=HmacSHA256&signature_version=1&timestamp=2026-01-02T03%3A04%3A05Z&version=1&zone=jn1a",
			signature: "aAj9eul1iwcxzjCCRtC50MNY17j%252BpcaDTADPf1vUgrY%253D",
		},
	}
	p := configure(t, "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := p.account.Load().sign(context.Background(), tt.method, tt.path, tt.params, []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			want := defaultEndpoint + tt.path + "?" + tt.query + "&signature=" + tt.signature
			if got := req.URL.String(); got != want {
				t.Errorf("url\n got %s\nwant %s", got, want)
			}
			if req.Method == http.MethodPost && req.GetBody != nil {
				t.Error("a transport could send the body of a change again")
			}
		})
	}
}

func TestPercentEncode(t *testing.T) {
	if got, want := percentEncode("a b+c/-_.~:é"), "a%20b%2Bc%2F-_.~%3A%C3%A9"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEncodeBody(t *testing.T) {
	body := map[string]any{
		"b": int64(-1), "a": "héllo 中 😀 \"\\\n\r\t\b\f\x01\x7f/<&>", "env": map[string]any{"admin.user": "x", "admin-": nil},
		"l": []any{true, "x"},
	}
	want := `{"a": "h\u00e9llo \u4e2d \ud83d\ude00 \"\\\n\r\t\b\f\u0001\u007f/<&>", "b": -1, "env": {"admin-": null, "admin.user": "x"}, "l": [true, "x"]}`
	if got := string(encodeBody(body)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if strings.ContainsFunc(string(encodeBody(body)), func(r rune) bool { return r > '~' }) {
		t.Error("not ASCII")
	}
}
