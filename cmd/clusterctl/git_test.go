package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHunks(t *testing.T) {
	for _, test := range []struct {
		name, diff string
		want       map[string][]span
	}{
		{"changed, added and taken out", `diff --git a/x.cue b/x.cue
index 1..2 100644
--- a/x.cue
+++ b/x.cue
@@ -3 +3,2 @@ clusters: {
-old
+new
+newer
@@ -9,2 +10,0 @@
-gone
-gone too
@@ -20,0 +20 @@
+one
`, map[string][]span{"x.cue": {{3, 4}, {20, 20}}}},
		{"lines that look like a header", `--- a/x.cue
+++ b/x.cue
@@ -1,2 +1,2 @@
--- a/y.cue
--@@ -5 +5 @@
+++ b/y.cue
++@@ -5 +5 @@
--- a/z.cue
+++ b/z.cue
@@ -1 +1 @@
-a
\ No newline at end of file
+b
`, map[string][]span{"x.cue": {{1, 2}}, "z.cue": {{1, 1}}}},
		{"unusual names", "+++ \"b/\\303\\251 \\\"x\\\".cue\"\n@@ -0,0 +1 @@\n+a\n+++ b/with space.cue\t\n@@ -0,0 +1 @@\n+a\n",
			map[string][]span{`é "x".cue`: {{1, 1}}, "with space.cue": {{1, 1}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, readHunks(test.diff), cmp.AllowUnexported(span{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzHunks(f *testing.F) {
	f.Add("+++ b/x.cue\n@@ -1 +1,3 @@\n-a\n+b\n")
	f.Add("@@ -1,99999999999999999999 +-1 @@\n")
	f.Fuzz(func(t *testing.T, diff string) {
		for name, spans := range readHunks(diff) {
			for _, s := range spans {
				if s.to < s.from {
					t.Errorf("%q has the lines %v", name, s)
				}
			}
		}
	})
}

func TestBlobs(t *testing.T) {
	read := func(text string, n int) (got []string, err error) {
		err = readBlobs(bufio.NewReader(strings.NewReader(text)), n, func(_ int, content []byte) { got = append(got, string(bytes.Clone(content))) })
		return got, err
	}
	got, err := read("aa blob 3\nx\ny\nbb blob 0\n\n", 2)
	if diff := cmp.Diff([]string{"x\ny", ""}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for text, want := range map[string]string{
		"aa missing\n":       "aa missing; if the clone is partial, fetch its objects first",
		"aa blob 9\nshort\n": "unexpected EOF",
		"":                   "EOF",
	} {
		if _, err := read(text, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
