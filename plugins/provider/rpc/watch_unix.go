//go:build unix

package rpc

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/hashicorp/go-plugin"
)

// watchHost ends the process when the host does, also when the host was
// killed: the kernel then closes the other end of the descriptor that fd
// names. An empty fd means a host that has no death pipe.
func watchHost(fd string) error {
	if fd == "" {
		return nil
	}
	n, err := strconv.Atoi(fd)
	if err != nil || n < 3 {
		return fmt.Errorf("%s=%q is not the number of a descriptor", DeathFD, fd)
	}
	pipe := os.NewFile(uintptr(n), "death pipe")
	if _, err := pipe.Stat(); err != nil {
		return fmt.Errorf("%s=%s: %w", DeathFD, fd, err)
	}
	// Programs that the plugin starts have no use for it.
	syscall.CloseOnExec(n)
	go func() {
		for one := make([]byte, 1); ; {
			if _, err := pipe.Read(one); err != nil {
				break
			}
		}
		removeSocket(os.Getenv(plugin.EnvUnixSocketDir))
		os.Exit(1)
	}()
	return nil
}

// removeSocket tidies up after a host that could not: the socket goes, and its
// directory if nothing else is in it.
func removeSocket(dir string) {
	if dir == "" {
		return
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.Type()&os.ModeSocket != 0 {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	os.Remove(dir)
}
