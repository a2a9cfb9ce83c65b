package journaltest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// taskVariable tells a further process of the test binary what to do.
const taskVariable = "CCTL_JOURNALTEST_TASK"

// process is a further process that works on the same place.
type process struct {
	b     *bench
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
	errs  strings.Builder
}

// start runs a task: its name and arguments, none of which has a tab.
func (b *bench) start(task ...string) *process {
	b.Helper()
	// Only the test that called Run, not the check in it.
	top := strings.Split(b.Name(), "/")
	top = top[:len(top)-1]
	for i, name := range top {
		top[i] = "^" + regexp.QuoteMeta(name) + "$"
	}
	p := &process{b: b, cmd: exec.Command(os.Args[0], "-test.run="+strings.Join(top, "/"))}
	p.cmd.Env = append(os.Environ(), taskVariable+"="+strings.Join(append([]string{b.place}, task...), "\t"))
	p.cmd.Stderr = &p.errs
	stdin, err := p.cmd.StdinPipe()
	b.must(err)
	stdout, err := p.cmd.StdoutPipe()
	b.must(err)
	b.must(p.cmd.Start())
	p.stdin, p.lines = stdin, bufio.NewScanner(stdout)
	b.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.kill()
		}
	})
	return p
}

// next is the next line that the process says.
func (p *process) next() string {
	p.b.Helper()
	if !p.lines.Scan() {
		p.kill()
		p.b.Fatalf("the process ended: %s", p.errs.String())
	}
	return p.lines.Text()
}

// rest waits for the end and gives what the process said until then.
func (p *process) rest() []string {
	p.b.Helper()
	_ = p.stdin.Close()
	var said []string
	for p.lines.Scan() {
		said = append(said, p.lines.Text())
	}
	if err := p.cmd.Wait(); err != nil {
		p.b.Fatalf("%v: %s", err, p.errs.String())
	}
	return said
}

// kill ends the process as kill -9 does and gives what it had said.
func (p *process) kill() []string {
	_ = p.cmd.Process.Kill()
	var said []string
	for p.lines.Scan() {
		said = append(said, p.lines.Text())
	}
	_ = p.cmd.Wait()
	return said
}

// serve carries out a task in the further process.
func serve(t *testing.T, open Open, text string) error {
	words := strings.Split(text, "\t")
	s, task, args := open(t, words[0]), words[1], words[2:]
	switch task {
	case "hold":
		return hold(s, args[0])
	case "contend":
		return contend(s, args[0], args[1], args[2])
	case "work":
		return work(s, args[0], args[1], args[2:])
	}
	return fmt.Errorf("no task %q", task)
}

// hold keeps a lock until standard input ends.
func hold(s journal.Store, key string) error {
	lease, err := s.Lock(context.Background(), key, holder("a process"))
	if err != nil {
		return err
	}
	fmt.Println(lease.Fence())
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, lease.Unlock())
}

// contend takes a lock so many times and says each fence. While it has the
// lock nobody else may have made the file.
func contend(s journal.Store, key, times, file string) error {
	n, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	for n > 0 {
		lease, err := s.Lock(context.Background(), key, holder("a process"))
		if locked(err) {
			continue
		}
		if err != nil {
			return err
		}
		n--
		if err := alone(file); err != nil {
			return err
		}
		fmt.Println(lease.Fence())
		if err := lease.Unlock(); err != nil {
			return err
		}
	}
	return nil
}

// alone fails when another is in it at the same time.
func alone(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("somebody else has the lock, too: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(file))
}

// work settles so many intents of each cluster in turn and says what it did
// after it was done.
func work(s journal.Store, name, times string, clusters []string) error {
	n, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	for i := range n {
		for _, cluster := range clusters {
			in := Intent(cluster, fmt.Sprintf("%s-%s-%d", name, cluster, i))
			if err := settleOne(s, in, fmt.Println); err != nil {
				return err
			}
		}
	}
	return nil
}

func settleOne(s journal.Store, in journal.Intent, say func(...any) (int, error)) error {
	lease, err := s.Lock(context.Background(), in.Identity.Key(), holder("a worker"))
	if err != nil {
		return err
	}
	defer lease.Unlock()
	if err := lease.Put(in); err != nil {
		return err
	}
	if _, err := say("put", in.OpID); err != nil {
		return err
	}
	if err := lease.Close(Record(in)); err != nil {
		return err
	}
	_, err = say("closed", in.OpID)
	return err
}
