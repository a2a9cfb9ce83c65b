package teeth

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bug is one text of one source file replaced by another.
type bug struct {
	name    string
	file    string // from the module's root
	old     string // stands in the file exactly once
	new     string
	scripts []string // of cmd/clusterctl that should see it, too
}

// bugs are all that are planted.
func bugs() []bug {
	return slices.Concat(sendBugs, settleBugs, lockBugs, guardBugs, journalBugs, wireBugs, cloudBugs)
}

// root is the module's.
const root = "../.."

// planted is the text of the bug's file with the bug in it.
func (b bug) planted() (string, error) {
	text, err := os.ReadFile(filepath.Join(root, b.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), b.old); n != 1 {
		return "", fmt.Errorf("%s holds this %d times, want once: %q", b.file, n, b.old)
	}
	return strings.Replace(string(text), b.old, b.new, 1), nil
}

// overlay writes what go test -overlay wants and returns its file.
func (b bug) overlay(t *testing.T) string {
	t.Helper()
	text, err := b.planted()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, err := filepath.Abs(filepath.Join(root, b.file))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, filepath.Base(b.file))
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {file: copied}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{copied: text, filepath.Join(dir, "overlay.json"): string(replace)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "overlay.json")
}
