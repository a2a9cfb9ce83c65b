//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package journal

import "os"

// Without locks nothing is written, so readers need none.

func tryLock(*os.File) error    { return errNoLocks }
func waitLock(*os.File) error   { return errNoLocks }
func waitShared(*os.File) error { return nil }
func unlock(*os.File) error     { return nil }

// syncDir does nothing: these systems cannot sync a directory.
func syncDir(string) error { return nil }
