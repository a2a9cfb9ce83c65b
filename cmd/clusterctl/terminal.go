package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/clusterctl/clusterctl/engine/render"
)

// terminal reports whether a file is one.
func terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// colour reports whether f may be painted: on a terminal, unless NO_COLOR says
// no.
func (sh *shell) colour(f *os.File) bool {
	return terminal(f) && sh.getenv("NO_COLOR") == "" && sh.getenv("TERM") != "dumb"
}

// columns is how wide a terminal is just now.
func columns(f *os.File) int {
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}

// look is how output to f is dressed: plain in files and pipes.
func (sh *shell) look(f *os.File) render.Look {
	look := render.Look{Colour: sh.colour(f), Now: time.Now()}
	if terminal(f) {
		look.Width = columns(f)
	}
	return look
}

// readLine reads an answer. An interrupt, for which reading would wait, ends it.
func (sh *shell) readLine(ctx context.Context) (string, error) {
	lines := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(sh.stdin).ReadString('\n') // the end of input is an answer, too: none
		lines <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(sh.stderr, "Nothing was sent.")
		return "", quietly(exitInterrupted)
	case line := <-lines:
		return line, nil
	}
}

// screen is whoever draws on stderr at the moment. A message from elsewhere
// goes through it, so that neither spoils the other.
type screen struct {
	mu  sync.Mutex
	say func(string) // nil: nobody draws
}

func (s *screen) take(say func(string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.say = say
}

// tell prints a line: above live lines if there are any, and then with what more
// there is to say about them, else below whatever stands unfinished.
func (s *screen) tell(w io.Writer, text, more string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.say != nil {
		s.say(text + " " + more)
		return
	}
	fmt.Fprintln(w, "\n"+text)
}
