package journal

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// BenchmarkHistory asks a store for the newest record of 1,000 clusters, as a
// plan does, after 1,000 to 100,000 lines of history; and reads those for people.
func BenchmarkHistory(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		dir := b.TempDir()
		long(b, dir, n)
		b.Run(fmt.Sprintf("last/%d", n), func(b *testing.B) {
			for b.Loop() {
				s := opened(b, dir)
				for i := range 1_000 {
					if r, err := s.Last(identityOf(i).Key()); err != nil || r == nil {
						b.Fatalf("%v %v", r, err)
					}
				}
			}
		})
		b.Run(fmt.Sprintf("recall/%d", n), func(b *testing.B) {
			for b.Loop() {
				lines := 0
				if err := opened(b, dir).Recall(func(r Remembered) bool { lines++; return r.Fault == "" }); err != nil || lines != n {
					b.Fatalf("%d lines, %v", lines, err)
				}
			}
		})
	}
}

func opened(b *testing.B, dir string) *FileStore {
	b.Helper()
	s, err := OpenFile(dir, CreateNow, time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func identityOf(i int) Identity {
	return Identity{Plugin: "p", Account: "a", ID: fmt.Sprintf("id-%05d", i)}
}

// long writes a history of n lines without waiting for the disk.
func long(b *testing.B, dir string, n int) {
	b.Helper()
	text, sum := []byte(nil), ""
	for i := range n {
		r := Record{Verdict: Done, At: time.Unix(1763683200+int64(i), 0).UTC(), Removed: []Node{{ID: "n1", Name: "node-1"}},
			Intent: Intent{FormatVersion: formatVersion, OpID: fmt.Sprintf("OP%08d", i), Identity: identityOf(i % 1_000), Op: provider.OpScaleIn, Group: "task", K: 1,
				Base: []string{"n1", "n2", "n3"}, From: map[string]int64{"count": 3}, To: map[string]int64{"count": 2}}}
		body, err := json.Marshal(r)
		if err != nil {
			b.Fatal(err)
		}
		sum = sumOf([]byte(sum), body)
		line, err := json.Marshal(chained{Sum: sum, Record: body})
		if err != nil {
			b.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	opened(b, dir)
	if err := os.WriteFile(filepath.Join(dir, "history.jsonl"), text, 0o600); err != nil {
		b.Fatal(err)
	}
}
