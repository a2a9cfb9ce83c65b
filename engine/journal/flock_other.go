//go:build !unix

package journal

import (
	"errors"
	"os"
)

var errHeld = errors.New("held by another")

var errNoLocks = errors.New("this system has no locks that die with their process, so nothing is applied from it; apply from Linux or macOS")

func flock(*os.File) error     { return errNoLocks }
func flockWait(*os.File) error { return errNoLocks }
