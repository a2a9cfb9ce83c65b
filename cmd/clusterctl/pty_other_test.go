//go:build !linux

package main

import (
	"errors"
	"os"
	"syscall"
)

func openTerminal() (person, program *os.File, err error) {
	return nil, nil, errors.New("scripts open terminals on Linux only")
}

func resize(*os.File, int) error { return nil }

func inTerminal() *syscall.SysProcAttr { return nil }
