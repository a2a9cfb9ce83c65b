package main

import (
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// openTerminal makes a pseudo-terminal: the person's end and the program's.
func openTerminal() (person, program *os.File, err error) {
	person, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	var unlocked, number int32
	if err := ioctl(person, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked)); err != nil {
		return nil, nil, err
	}
	if err := ioctl(person, syscall.TIOCGPTN, unsafe.Pointer(&number)); err != nil {
		return nil, nil, err
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	return person, program, err
}

// resize tells the terminal's width; who runs in it gets SIGWINCH.
func resize(person *os.File, columns int) error {
	size := [4]uint16{50, uint16(columns)}
	return ioctl(person, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
}

// ioctl does not take the descriptor out of the poller, as Fd would: a read that
// waits would then outlast Close, and the terminal with it.
func ioctl(f *os.File, request uintptr, argument unsafe.Pointer) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) { _, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(argument)) })
	if errno != 0 {
		return errno
	}
	return err
}

// inTerminal makes the child's terminal its own.
func inTerminal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true, Setctty: true} }
