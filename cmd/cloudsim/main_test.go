package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// serve starts the simulators and waits for their variables.
func serve(t *testing.T, args ...string) (env map[string]string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- run(ctx, args, func(text string) { ready <- text }) }()
	select {
	case text := <-ready:
		env = map[string]string{}
		for _, m := range regexp.MustCompile(`(CCTL_\w+|\w+_(?:AK|SK|ID|SECRET|KEY))=(\S+)`).FindAllStringSubmatch(text, -1) {
			env[m[1]] = m[2]
		}
	case err := <-done:
		t.Fatal(err)
	}
	return env, func() error { cancel(); return <-done }
}

func ask(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s %s: %d %s %v", method, url, resp.StatusCode, b, err)
	}
	return string(b)
}

// The state outlives the program, and every variable that a user needs is told.
func TestStateIsKept(t *testing.T) {
	file, envFile := filepath.Join(t.TempDir(), "clouds.json"), filepath.Join(t.TempDir(), "sim.env")
	env, stop := serve(t, "--state", file, "--env", envFile)
	for _, name := range []string{
		"CCTL_ENDPOINT_HUAWEI", "CCTL_ENDPOINT_QINGCLOUD", "CCTL_ENDPOINT_ALIYUN", "CCTL_TIMING", "CCTL_SECRET_EHPC", "CCTL_SECRET_ACK",
		"HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "QINGCLOUD_ACCESS_KEY_ID", "QINGCLOUD_SECRET_ACCESS_KEY", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
	} {
		if env[name] == "" {
			t.Errorf("%s is not told", name)
		}
	}
	if b, err := os.ReadFile(envFile); err != nil || !strings.Contains(string(b), env["CCTL_ENDPOINT_ALIYUN"]) {
		t.Errorf("the file of variables: %q, %v", b, err)
	}
	ask(t, "POST", env["CCTL_ENDPOINT_ALIYUN"]+"/_sim/drift", `{"cluster": "c00000000000000000000000000000002", "group": "worker", "add": 3}`)
	before := ask(t, "GET", env["CCTL_ENDPOINT_ALIYUN"]+"/_sim/state", "")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	env, stop = serve(t, "--state", file)
	after := ask(t, "GET", env["CCTL_ENDPOINT_ALIYUN"]+"/_sim/state", "")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the state after a restart:\n%s", diff)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func TestFleet(t *testing.T) {
	env, stop := serve(t, "--fleet", "25")
	for _, cloud := range []string{"HUAWEI", "QINGCLOUD", "ALIYUN"} {
		var state struct {
			Clusters json.RawMessage `json:"clusters"`
		}
		if err := json.Unmarshal([]byte(ask(t, "GET", env["CCTL_ENDPOINT_"+cloud]+"/_sim/state", "")), &state); err != nil || len(state.Clusters) < 1000 {
			t.Errorf("%s: %d bytes of clusters, %v", cloud, len(state.Clusters), err)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func TestRefused(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for words, args := range map[string][]string{
		"is not a loopback address": {"--host", "0.0.0.0"},
		"unexpected end of JSON":    {"--state", broken},
		"provided but not defined":  {"--nonsense"},
		"is no argument":            {"huawei"},
	} {
		err := run(context.Background(), args, func(string) {})
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v: %v, want %q", args, err, words)
		}
	}
}
