package render

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSARIF(t *testing.T) {
	var b strings.Builder
	if err := SARIF(&b, Annotations(fullReview()), Tool{Version: "1.2.3", Rules: Rules}); err != nil {
		t.Fatal(err)
	}
	golden(t, "review.sarif", b.String())
	if err := soundSARIF(b.String()); err != nil {
		t.Error(err)
	}
}

func TestSARIFHostile(t *testing.T) {
	for i, x := range hostile {
		y := hostile[(i*5+1)%len(hostile)]
		var b strings.Builder
		list := []Annotation{
			{Level: LevelError, Rule: "limit", Title: x, Message: y, File: "dir/" + y, Line: 3, Column: 9, EndColumn: 4, Subject: x},
			{Level: LevelNotice, Rule: "change", Title: y, Message: x, File: x, Line: 3, InBase: true},
			{Level: LevelWarning, Rule: "change", Title: "t", Message: x},
		}
		if err := SARIF(&b, list, Tool{}); err != nil {
			t.Fatal(err)
		}
		if err := soundSARIF(b.String()); err != nil {
			t.Errorf("%q, %q: %v\n%s", x, y, err, b.String())
		}
	}
}

func TestSARIFOfNothing(t *testing.T) {
	var b strings.Builder
	if err := SARIF(&b, nil, Tool{}); err != nil {
		t.Fatal(err)
	}
	if err := soundSARIF(b.String()); err != nil {
		t.Error(err)
	}
}

// soundSARIF checks what SARIF 2.1.0 demands of a log: the required members and
// their types (sections 3.13, 3.14, 3.18, 3.19, 3.27 to 3.30, 3.49), that rules
// are told apart and indexes point to them, and what GitHub's "SARIF support
// for code scanning" demands beyond.
func soundSARIF(text string) error {
	var log map[string]any
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		return err
	}
	if log["version"] != "2.1.0" || !strings.HasSuffix(fmt.Sprint(log["$schema"]), "sarif-2.1.0.json") {
		return fmt.Errorf("version %v, schema %v", log["version"], log["$schema"])
	}
	runs, ok := log["runs"].([]any)
	if !ok || len(runs) != 1 {
		return fmt.Errorf("runs: %v", log["runs"])
	}
	run := runs[0].(map[string]any)
	driver, ok := dig(run, "tool", "driver").(map[string]any)
	if !ok || driver["name"] != "clusterctl" || run["columnKind"] != "unicodeCodePoints" {
		return fmt.Errorf("driver %v, columns %v", driver, run["columnKind"])
	}
	rules, ok := driver["rules"].([]any)
	if !ok {
		return fmt.Errorf("rules: %v", driver["rules"])
	}
	var ids []string
	for _, r := range rules {
		id, _ := dig(r, "id").(string)
		for _, seen := range ids {
			if seen == id {
				return fmt.Errorf("rule %s twice", id)
			}
		}
		ids = append(ids, id)
		for _, name := range []string{"shortDescription", "fullDescription", "help"} {
			if text, _ := dig(r, name, "text").(string); text == "" || len(text) > 1024 {
				return fmt.Errorf("rule %q: %s %q", id, name, text)
			}
		}
	}
	results, ok := run["results"].([]any)
	if !ok {
		return fmt.Errorf("results: %v", run["results"])
	}
	for _, r := range results {
		if err := soundResult(r, ids); err != nil {
			return err
		}
	}
	return nil
}

var (
	placeholder  = regexp.MustCompile(`\{\d`)
	embeddedLink = regexp.MustCompile(`\]\(`)
)

func soundResult(r any, ids []string) error {
	index, ok := dig(r, "ruleIndex").(float64)
	if !ok || int(index) >= len(ids) || ids[int(index)] != dig(r, "ruleId") {
		return fmt.Errorf("rule %v at %v", dig(r, "ruleId"), dig(r, "ruleIndex"))
	}
	switch dig(r, "level") {
	case "error", "warning", "note":
	default:
		return fmt.Errorf("level %v", dig(r, "level"))
	}
	message, ok := dig(r, "message", "text").(string)
	plain := strings.ReplaceAll(strings.ReplaceAll(message, "{{", ""), "}}", "")
	if !ok || !utf8.ValidString(message) || placeholder.MatchString(plain) || strings.ContainsAny(plain, "{}") || embeddedLink.MatchString(message) {
		return fmt.Errorf("message %q", message)
	}
	locations, ok := dig(r, "locations").([]any)
	if !ok || len(locations) != 1 {
		return fmt.Errorf("locations %v", dig(r, "locations"))
	}
	name, ok := dig(locations[0], "physicalLocation", "artifactLocation", "uri").(string)
	u, err := url.Parse(name)
	if !ok || err != nil || name == "" || u.IsAbs() || u.Host != "" {
		return fmt.Errorf("uri %q: %v", name, err)
	}
	if dig(locations[0], "physicalLocation", "artifactLocation", "uriBaseId") != "%SRCROOT%" {
		return fmt.Errorf("uri %q is relative to nothing", name)
	}
	region, _ := dig(locations[0], "physicalLocation", "region").(map[string]any)
	line, _ := region["startLine"].(float64)
	start, has := region["startColumn"].(float64)
	end, ends := region["endColumn"].(float64)
	if line < 1 || has && start < 1 || ends && (!has || end < start) {
		return fmt.Errorf("region %v", region)
	}
	prints, ok := dig(r, "partialFingerprints").(map[string]any)
	if print, _ := prints["clusterctl/v1"].(string); !ok || len(print) != 64 {
		return fmt.Errorf("fingerprints %v", prints)
	}
	return nil
}

// dig follows names into decoded JSON.
func dig(v any, names ...string) any {
	for _, n := range names {
		members, _ := v.(map[string]any)
		v = members[n]
	}
	return v
}
