//go:build unix

package pluginhost

import "syscall"

// signalSelf ends or stops this process when what names a signal.
func signalSelf(what string) error {
	signals := map[string]syscall.Signal{"kill": syscall.SIGKILL, "stop": syscall.SIGSTOP}
	if s, ok := signals[what]; ok {
		if err := syscall.Kill(syscall.Getpid(), s); err != nil {
			return err
		}
		select {} // other threads may run on for a moment
	}
	return nil
}

func group() int { return syscall.Getpgrp() }
