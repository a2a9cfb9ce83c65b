package pluginhost

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestStartFails has one clear error for everything that can be wrong with a
// plugin before it serves, and leaves no process and no folder behind.
func TestStartFails(t *testing.T) {
	tests := []struct {
		mode string
		want string // a regular expression
	}{
		{"garbage", `^plugin garbage: start: its first line is not a plugin's: "hello, I am a web server"$`},
		{"endless", `^plugin endless: start: its first line is not a plugin's: "no newline no newline [a-z ]*…"`},
		{"version2", `^plugin version2: start: it speaks protocol version 2, this clusterctl version 1; install releases that fit$`},
		{"core9", `^plugin core9: start: it speaks version 9 of go-plugin's handshake, this clusterctl version 1$`},
		{"nocert", `^plugin nocert: start: it offers no certificate, so that anyone on this machine could speak to it: "1\|1\|unix\|/nowhere\|grpc\|"$`},
		{"netrpc", `^plugin netrpc: start: it speaks "netrpc", not gRPC$`},
		{"nosocket", `^plugin nosocket: start: error parsing server cert: `},
		{"exits", `^plugin exits: start: it exited with code 7 before it was ready; its last lines:\n  \| cannot find my wallet$`},
		{"othercookie", `^plugin othercookie: start: it exited with code 1 before it was ready; its last lines:\n  \| cluster-provider-othercookie(\.exe)? 1\.2\.3 is a plugin of clusterctl, which starts it`},
		{"silent", `^plugin silent: start: it was not ready within 300ms$`},
		{"misnamed", `^plugin misnamed: start: it calls itself "other"; a plugin's file is named after it$`},
		{"otherdigest", `^plugin otherdigest: start: its schema's digest is sha256:[0-9a-f]{64}, it says sha256:0$`},
		{"panics", `(?s)^plugin panics: start: the plugin panicked: no description today \(Internal\); its last lines:\n.*main_test\.go`},
	}
	for _, test := range tests {
		t.Run(test.mode, func(t *testing.T) {
			t.Parallel()
			h := Host{StartTimeout: 20 * time.Second, Grace: 100 * time.Millisecond}
			if test.mode == "silent" {
				h.StartTimeout = 300 * time.Millisecond
			}
			p, err := tryStart(t, h, test.mode)
			if err == nil {
				p.Close()
				t.Fatal("it started")
			}
			if !regexp.MustCompile(test.want).MatchString(err.Error()) {
				t.Errorf("got  %s\nwant %s", err, test.want)
			}
			if p != nil {
				t.Error("a plugin beside the error")
			}
		})
	}
}

func TestStartLeavesNothingBehind(t *testing.T) {
	temp := t.TempDir()
	if len(temp) > 60 {
		// Else the host would use another folder, see socketFolder.
		temp = filepath.Join("/tmp", filepath.Base(filepath.Dir(temp))+"-left")
		if err := os.Mkdir(temp, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(temp) })
	}
	t.Setenv("TMPDIR", temp)
	for _, mode := range []string{"good", "garbage", "exits"} {
		if p, err := tryStart(t, Host{}, mode); err == nil {
			p.Close()
		}
	}
	notProgram := filepath.Join(t.TempDir(), Prefix+"text")
	if err := os.WriteFile(notProgram, []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	h := Host{Dirs: []string{filepath.Dir(notProgram)}}
	b, err := h.Find("text")
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Start(context.Background(), b)
	if want := "plugin text: start: " + notProgram + " is not a program for this system: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
	left, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		t.Errorf("%s is left behind", e.Name())
	}
}

func TestStartIsCancelled(t *testing.T) {
	h := Host{Dirs: []string{install(t, "silent")}}
	b, err := h.Find("silent")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := h.Start(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := h.Start(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("started again: %v", err)
	}
}

func TestChangedBinary(t *testing.T) {
	h := Host{Dirs: []string{install(t, "good")}}
	b, err := h.Find("good")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(b.Path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.Path, []byte("another"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Start(context.Background(), b); err == nil || !strings.Contains(err.Error(), "has changed since it was looked up") {
		t.Errorf("got %v", err)
	}
}

func TestSurroundings(t *testing.T) {
	// Spelled out: what a plugin may see is part of the contract.
	passed := []string{"HOME", "TMPDIR", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"}
	system := []string{"SystemRoot", "TEMP", "TMP", "USERPROFILE"}
	for _, name := range append(passed, system...) {
		if os.Getenv(name) == "" {
			t.Setenv(name, os.TempDir())
		}
	}
	if runtime.GOOS == "windows" {
		passed = append(passed, system...)
	}
	t.Setenv("HUAWEICLOUD_SDK_SK", "made-up-secret-key")
	t.Setenv("PATH", os.Getenv("PATH"))
	t.Setenv("https_proxy", "http://127.0.0.1:1")
	t.Setenv("TZ", "Asia/Shanghai")
	p := start(t, Host{}, "good")
	got := placeOf(t, p)
	var names []string
	for _, v := range got.Environment {
		name, _, _ := strings.Cut(v, "=")
		names = append(names, name)
	}
	for _, want := range []string{"https_proxy=http://127.0.0.1:1", "TZ=Asia/Shanghai"} {
		if !slices.Contains(got.Environment, want) {
			t.Errorf("no %s in %q", want, got.Environment)
		}
	}
	handshake := []string{"CCTL_PLUGIN", "CCTL_DEATH_FD", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_CLIENT_CERT", "PLUGIN_UNIX_SOCKET_DIR"}
	for _, name := range names {
		if !slices.Contains(passed, name) && !slices.Contains(handshake, name) {
			t.Errorf("the plugin sees %s", name)
		}
	}
	for _, name := range passed {
		if !slices.Contains(names, name) {
			t.Errorf("the plugin does not see %s", name)
		}
	}
	if !got.NullStdin {
		t.Error("stdin is not the null device")
	}
	if got.Group != got.Pid && got.Group != 0 {
		t.Errorf("process %d is in group %d", got.Pid, got.Group)
	}
	if info, err := os.Stat(got.Dir); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the working directory %s is not private: %v", got.Dir, err)
	}
	p.Close()
	if _, err := os.Stat(got.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind: %v", got.Dir, err)
	}
}

func TestStartAll(t *testing.T) {
	h := Host{Dirs: []string{install(t, "good", "quoting", "exits", "garbage")}}
	find := func(names ...string) (out []Binary) {
		for _, name := range names {
			b, err := h.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, b)
		}
		return out
	}
	plugins, err := h.StartAll(context.Background(), find("good", "quoting", "good"))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range plugins {
		defer p.Close()
		_, quotes := p.Provider.(provider.Quoter)
		if want := i == 1; quotes != want {
			t.Errorf("plugin %s quotes: %t", p.Binary.Name, quotes)
		}
	}
	price, err := plugins[1].Provider.(provider.Quoter).Quote(context.Background(), nil)
	if err != nil || price.Amount != 1.5 {
		t.Errorf("got %v, %v", price, err)
	}
	_, err = h.StartAll(context.Background(), find("exits", "good", "garbage"))
	if err == nil || !strings.Contains(err.Error(), "plugin exits") || !strings.Contains(err.Error(), "plugin garbage") {
		t.Errorf("got %v", err)
	}
}

// A person who runs a plugin reads what it is.
func TestRunByHand(t *testing.T) {
	cmd := exec.Command(filepath.Join(install(t, "good"), Prefix+"good"+suffix()))
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(string(out), "cluster-provider-good") || !strings.Contains(string(out), "is a plugin of clusterctl") {
		t.Errorf("%v: %s", err, out)
	}
}

// A caller that gives up before the process is launched leaves none.
func TestKilledBeforeLaunch(t *testing.T) {
	p := newProcess(filepath.Join(install(t, "silent"), Prefix+"silent"+suffix()), t.TempDir(), nil, &output{secrets: &secrets{}})
	if err := p.Kill(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(context.Background()); !errors.Is(err, context.Canceled) || p.ID() != "" {
		t.Errorf("process %q, %v", p.ID(), err)
	}
}
