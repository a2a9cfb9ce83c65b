package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// A saved plan says where its requests go; whoever wrote it must not be able to
// send them, and the secrets in them, elsewhere.
func TestCheckEndpointOfASavedPlan(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "cue.mod"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, LockFile), []byte(`{"version": 1, "endpoints": ["gate.corp.example"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(dir, "envs", "prod")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	clocks := &provider.Timing{AcceptWindow: time.Second, ReadLag: time.Second}
	for _, test := range []struct {
		endpoint string
		timing   *provider.Timing
		words    string
	}{
		{"", nil, ""},
		{"https://api.cloud.example", nil, ""},
		{"http://127.0.0.1:8080", clocks, ""},
		{"https://gate.corp.example", nil, ""},
		{"https://evil.example", nil, "neither this machine nor one of the cloud's"},
		{"https://cloud.example.evil.example", nil, "neither this machine"},
		{"http://api.cloud.example", nil, "must use https"},
		{"https://api.cloud.example", clocks, "timing is for simulators"},
		{"", clocks, "timing is for simulators"},
	} {
		err := CheckEndpoint(below, test.endpoint, test.timing, []string{"cloud.example"})
		if (err == nil) != (test.words == "") || err != nil && !strings.Contains(err.Error(), test.words) {
			t.Errorf("%q with timing %v: %v, want %q", test.endpoint, test.timing, err, test.words)
		}
	}
}
