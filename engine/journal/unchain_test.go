package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// decoded is unchain the long way: everything is decoded, and what was decoded
// must make the same line again.
func decoded(prev string, line []byte) (*Record, *chained, error) {
	var c chained
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, nil, err
	}
	if sum := sumOf([]byte(prev), c.Record); sum != c.Sum {
		return nil, nil, errors.New("the checksum does not match: this line or one before it was changed")
	}
	if again, err := json.Marshal(c); err != nil || !bytes.Equal(append(again, '\n'), line) {
		return nil, nil, errors.New("the line was changed")
	}
	var r Record
	if err := json.Unmarshal(c.Record, &r); err != nil {
		return nil, nil, err
	}
	return &r, &c, nil
}

// TestCutLinesJudgeAsDecodedOnes changes every byte of a line in several ways:
// a line is cut for speed, and that must let nothing pass.
func TestCutLinesJudgeAsDecodedOnes(t *testing.T) {
	const prev = "5f0c"
	record := Record{Verdict: Done, At: time.Unix(1763683200, 0).UTC(), Detail: `12 nodes <of> "task"`,
		Intent: Intent{FormatVersion: formatVersion, OpID: "7NYSBNYK", Op: provider.OpScaleIn, Cluster: "analytics", Group: "task", K: 2}}
	body, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(chained{Sum: sumOf([]byte(prev), body), Record: body})
	if err != nil {
		t.Fatal(err)
	}
	line = append(line, '\n')
	r, c, err := unchain(prev, line)
	if err != nil {
		t.Fatal(err)
	}
	wantR, wantC, _ := decoded(prev, line)
	if diff := cmp.Diff(wantR, r) + cmp.Diff(wantC, c); diff != "" {
		t.Errorf("the line as it was written (-decoded +cut):\n%s", diff)
	}
	judge := func(changed []byte) {
		t.Helper()
		_, _, got := unchain(prev, bytes.Clone(changed))
		_, _, want := decoded(prev, changed)
		if want == nil || got == nil {
			t.Errorf("accepted %q: cut says %v, decoded %v", changed, got, want)
		}
	}
	for i := range line {
		judge(line[:i])
		judge(append(bytes.Clone(line[:i]), line[i+1:]...))
		for _, b := range []byte{0, ' ', '\n', '"', '{', 'A', 'a', '0', line[i] ^ 0x20} {
			if b != line[i] {
				judge(append(append(bytes.Clone(line[:i]), b), line[i+1:]...))
			}
			judge(append(append(bytes.Clone(line[:i]), b), line[i:]...))
		}
	}
	for _, frame := range []string{`{"record":%b,"sum":"%s"}`, `{ "sum":"%s","record":%b}`, `{"sum":"%s","record":%b,"more":1}`, `{"Sum":"%s","record":%b}`} {
		text := bytes.ReplaceAll([]byte(frame), []byte("%s"), []byte(c.Sum))
		judge(append(bytes.ReplaceAll(text, []byte("%b"), body), '\n'))
	}
}
