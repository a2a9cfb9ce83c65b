package providertest

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Whatever way a provider prints a credential, Run sees it, and puts the
// process's output back.
func TestPrintingIsSeen(t *testing.T) {
	const key = "canary-key-of-the-account"
	stdout, stderr := os.Stdout, os.Stderr
	for name, print := range map[string]func(string){
		"standard output": func(s string) { fmt.Println(s) },
		"standard error":  func(s string) { fmt.Fprintln(os.Stderr, s) },
		"the logger":      func(s string) { log.Println(s) },
		"slog":            func(s string) { slog.Warn("configured", "key", s) },
		"nothing":         func(string) {},
	} {
		results := printing(t, func() provider.Provider {
			return &Fake{OnConfigure: func(_ context.Context, cfg provider.Config) error {
				print("key=" + cfg.Credentials["key"])
				return nil
			}}
		}, Options{Config: provider.Config{Credentials: map[string]string{"key": key}}})
		i := slices.IndexFunc(results, func(r Result) bool { return r.ID == "secrets-hidden" })
		if err := results[i].Err; (err == nil) != (name == "nothing") || err != nil && strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", name, err)
		}
		if os.Stdout != stdout || os.Stderr != stderr || log.Writer() != stderr {
			t.Fatal("the output is not put back")
		}
	}
}

func TestVerdict(t *testing.T) {
	rule := Rule{ID: "x", Text: "It is so.", Needs: provider.CapList}
	for _, tt := range []struct {
		name   string
		result Result
		skips  []string
		told   string
		fails  bool
	}{
		{"kept", Result{Rule: rule}, nil, "", false},
		{"broken", Result{Rule: rule, Err: errors.New("no")}, nil, "", true},
		{"broken though a skip is expected", Result{Rule: rule, Err: errors.New("no")}, []string{"x"}, "", true},
		{"skipped", Result{Rule: rule, Skipped: "why"}, nil, "skipped, needs capability list: why", false},
		{"skipped as expected", Result{Rule: rule, Skipped: "why"}, []string{"x"}, "skipped, needs capability list: why", false},
		{"skipped against expectation", Result{Rule: rule, Skipped: "why"}, []string{}, "skipped, needs capability list: why", true},
		{"kept against expectation", Result{Rule: rule}, []string{"x"}, "", true},
		{"skipped for want of an option", Result{Rule: Rule{ID: "y"}, Skipped: "why"}, nil, "skipped: why", false},
	} {
		told, err := verdict(tt.result, tt.skips)
		if told != tt.told || (err != nil) != tt.fails {
			t.Errorf("%s: %q, %v", tt.name, told, err)
		}
	}
}

// A provider
// that does not come back holds nothing up.
func TestHungCheck(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	results := Check(t.Context(), func() provider.Provider {
		return &Fake{OnConfigure: func(context.Context, provider.Config) error { <-hang; return nil }}
	}, Options{Timeout: 1, Soon: 1})
	for _, r := range results {
		if r.ID == "configure-sound" && (r.Err == nil || !strings.Contains(r.Err.Error(), "did not come back")) {
			t.Errorf("%+v", r)
		}
	}
}
