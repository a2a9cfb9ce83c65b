//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// chaosProcess is a live process that belongs to one run of the grid.
type chaosProcess struct {
	pid  int
	name string // of its program
}

// processesOf finds the processes of the run whose TMPDIR is tmp: plugins get
// that variable and little else. A zombie has no environment any more and
// counts as dead.
func processesOf(tmp string) []chaosProcess {
	mark := []byte("TMPDIR=" + tmp + "\x00")
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	var found []chaosProcess
	for _, file := range files {
		env, err := os.ReadFile(file) // others' processes cannot be read, and are not ours
		if err != nil || !bytes.Contains(env, mark) {
			continue
		}
		dir := filepath.Dir(file)
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		program, _, _ := bytes.Cut(line, []byte{0})
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && len(program) > 0 {
			found = append(found, chaosProcess{pid, filepath.Base(string(program))})
		}
	}
	return found
}

// deathTime bounds the wait for a death that must come by itself.
const deathTime = 10 * time.Second

// untilGone waits until find finds nothing and returns what is still there.
func untilGone(find func() []chaosProcess) []chaosProcess {
	deadline := time.Now().Add(deathTime)
	for {
		left := find()
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// kill kills what find finds and waits for the deaths.
func kill(find func() []chaosProcess) error {
	victims := find()
	if len(victims) == 0 {
		return fmt.Errorf("nothing to kill")
	}
	for _, p := range victims {
		_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may have died by itself
	}
	if left := untilGone(find); len(left) > 0 {
		return fmt.Errorf("%v live on after a kill", left)
	}
	return nil
}

// killPlugins kills a run's plugin of that name.
func killPlugins(tmp, plugin string) error {
	return kill(func() []chaosProcess { return only(processesOf(tmp), "cluster-provider-"+plugin) })
}

// killProgram kills a run's clusterctl. Its plugins die with it, a moment later.
func killProgram(tmp string) error {
	return kill(func() []chaosProcess { return only(processesOf(tmp), "clusterctl") })
}

func only(list []chaosProcess, prefix string) []chaosProcess {
	var found []chaosProcess
	for _, p := range list {
		if strings.HasPrefix(p.name, prefix) {
			found = append(found, p)
		}
	}
	return found
}
