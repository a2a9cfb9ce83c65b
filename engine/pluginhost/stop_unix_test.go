//go:build unix

package pluginhost

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bound is how long an event may take before a test gives up.
const bound = 20 * time.Second

// TestPluginsDieWithTheirHost kills a host, which can then do nothing, and
// waits for the end of a pipe that each of its plugins holds.
func TestPluginsDieWithTheirHost(t *testing.T) {
	dir := install(t, "good")
	pipe := filepath.Join(dir, "alive")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	host := exec.Command(self)
	temp, err := os.MkdirTemp(socketFolder(), "host")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(temp)
	host.Env = append(os.Environ(), hostFolder+"="+dir, "TMPDIR="+temp)
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan *os.File, 1)
	go func() {
		f, err := os.Open(pipe) // blocks until the plugin opens its end
		if err != nil {
			t.Error(err)
		}
		opened <- f
	}()
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "started: <nil>\n" {
		host.Process.Kill()
		t.Fatalf("the host says %q, %v", line, err)
	}
	alive := <-opened
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, alive)
		ended <- err
	}()
	select {
	case <-ended:
		t.Error("the plugins ended before their host")
	default:
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(bound):
		t.Error("a plugin outlives its host")
	}
	_ = host.Wait()
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%s is left behind", left[0].Name())
	}
}

// gone says that no process has this number, not even a zombie of ours.
func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

func TestClose(t *testing.T) {
	for _, test := range []struct {
		mode, first string
	}{
		{"good", ""},       // exits when asked
		{"stubborn", ""},   // acknowledges and stays
		{"good", "stop"},   // cannot even acknowledge
		{"good", "kill"},   // is dead already
		{"quoting", "big"}, // after an error
	} {
		t.Run(test.mode+" "+test.first, func(t *testing.T) {
			t.Parallel()
			p := start(t, Host{Grace: 300 * time.Millisecond}, test.mode)
			pid := placeOf(t, p).Pid
			if test.first != "" {
				ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
				defer cancel()
				if err := poll(ctx, p, test.first); err == nil {
					t.Error("no error")
				}
			}
			p.Close()
			select {
			case <-p.Exited():
			default:
				t.Error("Close returned before the process ended")
			}
			if !gone(pid) {
				t.Errorf("process %d is left, or not reaped", pid)
			}
			err := poll(context.Background(), p, "")
			if err == nil || !strings.HasSuffix(err.Error(), "; nothing was sent") {
				t.Errorf("a call after Close: %v", err)
			}
			p.Close()
		})
	}
}
