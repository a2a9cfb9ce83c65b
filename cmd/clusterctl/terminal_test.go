package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// dialogue plays a person at a terminal and demands the exit code. Everything
// the terminal was sent is the command's stdout, escapes and all.
//
//	dialogue CODE FILE COMMAND ARG…
//
// FILE says, a line each, what happens:
//
//	width COLUMNS     the window is this wide from now on
//	expect REGEXP     wait for it, after what was expected before
//	type TEXT         type a line
//	press C           press Ctrl and a letter
//	hangup            close the terminal's window
func dialogue(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: dialogue CODE FILE COMMAND ARG…")
	}
	person, program, err := openTerminal()
	ts.Check(err)
	defer person.Close()
	ts.Check(resize(person, 160))
	script := strings.Split(ts.ReadFile(args[1]), "\n")
	if strings.HasPrefix(script[0], "width ") { // known from the start
		ts.Check(act(person, nil, script[0]))
	}
	cmd := exec.Command(args[2], args[3:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), environment(ts)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.SysProcAttr = inTerminal()
	ts.Check(cmd.Start())
	program.Close()
	seen := &transcript{}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		seen.record(person)
	}()
	for _, line := range script {
		if err := act(person, seen, line); err != nil {
			_ = cmd.Process.Kill()
			ts.Fatalf("%s: %v; the terminal shows:\n%s", line, err, seen.all())
		}
	}
	err = cmd.Wait()
	<-heard
	fmt.Fprint(ts.Stdout(), seen.all())
	if code := cmd.ProcessState.ExitCode(); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit %d (%v), want %s; the terminal shows:\n%s", code, err, args[0], seen.all())
	}
}

func act(person *os.File, seen *transcript, line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "":
		return nil
	case "width":
		n, err := strconv.Atoi(rest)
		if err != nil {
			return err
		}
		return resize(person, n)
	case "expect":
		return seen.await(rest)
	case "type":
		_, err := person.WriteString(rest + "\r")
		return err
	case "press":
		_, err := person.Write([]byte{rest[0] &^ 0x60})
		return err
	case "hangup":
		return person.Close()
	}
	return fmt.Errorf("no such thing to do")
}

// environment is the script's, with a terminal that can do everything.
func environment(ts *testscript.TestScript) []string {
	env := []string{"TERM=xterm"}
	for _, name := range ts.Value("variables").([]string) {
		if value := ts.Getenv(name); name != "TERM" && value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// transcript is what a terminal was sent.
type transcript struct {
	mu    sync.Mutex
	text  strings.Builder
	read  int // what was expected already
	ended bool
}

// record ends when the program has closed its end.
func (t *transcript) record(person *os.File) {
	buffer := make([]byte, 4096)
	for {
		n, err := person.Read(buffer)
		t.mu.Lock()
		t.text.Write(buffer[:n])
		t.ended = err != nil
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (t *transcript) all() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ReplaceAll(t.text.String(), "\r\n", "\n")
}

func (t *transcript) await(pattern string) error {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		t.mu.Lock()
		at := re.FindStringIndex(t.text.String()[t.read:])
		if at != nil {
			t.read += at[1]
		}
		ended := t.ended
		t.mu.Unlock()
		if at != nil {
			return nil
		}
		if ended {
			return fmt.Errorf("the program ended without it")
		}
	}
	return fmt.Errorf("it did not come in 30 s")
}
