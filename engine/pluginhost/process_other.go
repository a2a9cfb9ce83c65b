//go:build !unix

package pluginhost

import (
	"errors"
	"io"
	"os"
	"strings"
)

// systemVariables are those without which no program of this system works: no
// sockets without SystemRoot, no temporary files without TEMP.
var systemVariables = []string{"SystemRoot", "TEMP", "TMP", "USERPROFILE"}

// launch starts the process. There is no death pipe here, which is one of the
// reasons why apply is refused on these systems.
func (p *process) launch() error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.alive = io.NopCloser(strings.NewReader(""))
	return nil
}

func killGroup(process *os.Process) error {
	if err := process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
