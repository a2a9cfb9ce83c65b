package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Run is Check as a test: one subtest for each rule, and a line for each rule
// that was skipped. It points the process's standard output, error and default
// logger to a file while it runs, to see what the provider prints there, and
// then prints it; tests that run beside it must not replace those too.
func Run(t *testing.T, newProvider func() provider.Provider, opts Options) {
	t.Helper()
	for _, r := range printing(t, newProvider, opts) {
		t.Run(r.ID, func(t *testing.T) {
			told, err := verdict(r, opts.Skips)
			if told != "" {
				t.Log(told)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// verdict is what a result means to a test: a line to print and whether it
// fails. skips are as in Options.
func verdict(r Result, skips []string) (told string, err error) {
	expected := slices.Contains(skips, r.ID)
	switch {
	case r.Err != nil:
		return "", fmt.Errorf("%s\nbroken: %w", r.Text, r.Err)
	case r.Skipped == "" && expected:
		return "", errors.New("the rule applies, and was expected not to")
	case r.Skipped == "":
		return "", nil
	}
	told = "skipped: " + r.Skipped
	if r.Needs != "" {
		told = fmt.Sprintf("skipped, needs capability %s: %s", r.Needs, r.Skipped)
	}
	if skips != nil && !expected {
		return told, errors.New("the rule was expected to apply")
	}
	return told, nil
}

// printing runs Check and adds what the process printed to Options.Output.
func printing(t *testing.T, newProvider func() provider.Provider, opts Options) []Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "output")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	read := func() []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		return b
	}
	theirs := opts.Output
	opts.Output = func() string {
		printed := string(read())
		if theirs != nil {
			printed += theirs()
		}
		return printed
	}
	stdout, stderr, logged := os.Stdout, os.Stderr, log.Writer()
	defer func() {
		os.Stdout, os.Stderr = stdout, stderr
		log.SetOutput(logged)
		_, _ = io.Copy(stderr, bytes.NewReader(read()))
	}()
	os.Stdout, os.Stderr = file, file
	log.SetOutput(file)
	return Check(t.Context(), newProvider, opts)
}
