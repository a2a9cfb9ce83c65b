//go:build unix

package pluginhost

import (
	"errors"
	"os"
	"syscall"
)

// systemVariables are those without which no program of this system works.
var systemVariables []string

// launch starts the process in a group of its own, so that Ctrl-C in the
// terminal reaches the host alone, and gives it the death pipe. Linux could
// also signal it when the host's starting thread ends (Pdeathsig), but Go's
// threads end while the host lives on.
func (p *process) launch() error {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirs.Close()
	p.cmd.Env = append(p.cmd.Env, deathFD)
	p.cmd.ExtraFiles = []*os.File{theirs}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		ours.Close()
		return err
	}
	p.alive = ours
	return nil
}

// killGroup kills the process and its group. Once the process is reaped its
// number may be another's, and nothing is killed.
func killGroup(process *os.Process) error {
	if err := process.Signal(syscall.Signal(0)); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	err := syscall.Kill(-process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
