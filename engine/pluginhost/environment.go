package pluginhost

import (
	"os"
	"strings"
)

// passedOn are the only variables of the host that a plugin sees: where it may
// put files, the time zone, and how to reach the cloud. Credentials travel in
// Configure and nowhere else.
var passedOn = []string{
	"HOME", "TMPDIR", "TZ",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
}

// environment is a plugin's: what is passed on, then extra.
func environment(extra ...string) []string {
	var env []string
	for _, name := range append(passedOn, systemVariables...) {
		if value, ok := os.LookupEnv(name); ok && !strings.ContainsRune(value, 0) {
			env = append(env, name+"="+value)
		}
	}
	return append(env, extra...)
}
