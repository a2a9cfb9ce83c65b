package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestWatchOnTerminal: a report takes the place of the last one and of nothing
// else, and ^C ends with 130.
func TestWatchOnTerminal(t *testing.T) {
	dir := t.TempDir()
	save := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "fleet.cue"), []byte("package fleet\n\n"+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const entry = `providers: huawei: {plugin: "huawei", region: "cn-north-4", project_id: "0123456789abcdef0123456789abcdef"}` + "\n"
	save(entry + `clusters: a: {provider: "huawei", kind: "mrs", node_groups: core: count: -3}`)
	person, program, err := openTerminal()
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	if err := resize(person, 70); err != nil {
		t.Fatal(err)
	}
	binary, err := exec.LookPath("clusterctl")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "validate", "--watch")
	cmd.Dir, cmd.Env = dir, []string{"TERM=xterm", "HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.SysProcAttr = inTerminal()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program.Close()
	defer func() { _ = cmd.Process.Kill() }()
	seen := &transcript{}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		seen.record(person)
	}()
	await := func(pattern string) {
		t.Helper()
		if err := seen.await(pattern); err != nil {
			t.Fatalf("%s: %v\n%s", pattern, err, seen.all())
		}
	}
	await(`1 error in 1 file\r\n\d\d:\d\d:\d\dZ checked in .*; \^C ends\r\n`)
	rows := rowsOf(seen.all(), 70)
	save(entry + `clusters: a: {provider: "huawei", kind: "mrs", node_groups: core: count: 3}`)
	await(`\r\x1b\[\d+A\x1b\[J1 cluster is valid\.\r\n\d\d:\d\d:\d\dZ fleet.cue changed, checked in `)
	text := seen.all()
	_, rest, _ := strings.Cut(text, "\r\x1b[")
	if up, _, _ := strings.Cut(rest, "A"); up != strconv.Itoa(rows) {
		t.Errorf("went up %s rows, and the report had %d", up, rows)
	}
	if err := act(person, seen, "press c"); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	<-heard
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit %d\n%s", code, seen.all())
	}
}
