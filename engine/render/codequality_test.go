package render

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCodeQuality(t *testing.T) {
	var b strings.Builder
	if err := CodeQuality(&b, Annotations(fullReview())); err != nil {
		t.Fatal(err)
	}
	golden(t, "review-codequality.json", b.String())
	if err := soundCodeQuality(b.String()); err != nil {
		t.Error(err)
	}
}

func TestCodeQualityHostile(t *testing.T) {
	for i, x := range hostile {
		y := hostile[(i*5+1)%len(hostile)]
		var b strings.Builder
		list := []Annotation{{Level: LevelError, Rule: "limit", Title: x, Message: "m" + y, File: "dir/" + y, Line: 3}, {Level: LevelNotice, Rule: "change", Title: y, Message: "m" + x}}
		if err := CodeQuality(&b, list); err != nil {
			t.Fatal(err)
		}
		if err := soundCodeQuality(b.String()); err != nil {
			t.Errorf("%q, %q: %v", x, y, err)
		}
	}
}

func TestCodeQualityOfNothing(t *testing.T) {
	var b strings.Builder
	if err := CodeQuality(&b, nil); err != nil || b.String() != "[]\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// soundCodeQuality checks what GitLab's document "Code Quality", section "Code
// Quality report format", demands: an array without a byte order mark, of
// objects with these members, with fingerprints that are told apart and paths
// relative to the repository.
func soundCodeQuality(text string) error {
	var list []map[string]any
	if err := json.Unmarshal([]byte(text), &list); err != nil || !strings.HasPrefix(text, "[") {
		return fmt.Errorf("not an array: %v", err)
	}
	seen := map[any]bool{}
	for _, v := range list {
		for _, name := range []string{"description", "check_name", "fingerprint"} {
			if s, _ := v[name].(string); s == "" || !utf8.ValidString(s) {
				return fmt.Errorf("%s is %q", name, v[name])
			}
		}
		if seen[v["fingerprint"]] {
			return fmt.Errorf("fingerprint %v twice", v["fingerprint"])
		}
		seen[v["fingerprint"]] = true
		if !slices.Contains([]any{"info", "minor", "major", "critical", "blocker"}, v["severity"]) {
			return fmt.Errorf("severity %v", v["severity"])
		}
		file, _ := dig(v["location"], "path").(string)
		line, _ := dig(v["location"], "lines", "begin").(float64)
		if file == "" || path.IsAbs(file) || line < 1 {
			return fmt.Errorf("location %v", v["location"])
		}
	}
	return nil
}
