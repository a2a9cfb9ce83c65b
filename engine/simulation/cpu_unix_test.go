//go:build unix

package simulation

import (
	"syscall"
	"time"
)

// worked is the processor time that this process has used: what else runs on
// the machine does not count.
func worked() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
