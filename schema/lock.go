package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue/errors"
)

// LockFile stands at the module root. It allows what a spec alone may not: a
// change to it is reviewed by those who own it.
const LockFile = "clusterctl.lock"

// lock is what the loader reads of LockFile; other keys belong to others.
type lock struct {
	Version   int               `json:"version"`
	Endpoints []string          `json:"endpoints"` // hosts that may receive signed requests
	Schemas   map[string]string `json:"schemas"`   // plugin to digest of what was vendored
}

// readLock reads the lock at the root; a missing one is empty.
func (t *tree) readLock() (lock, error) {
	content, err := t.readFile(filepath.Join(t.root, LockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return lock{Version: 1}, nil
	}
	if err != nil {
		return lock{}, fmt.Errorf("read %s: %w", LockFile, err)
	}
	var l lock
	if err := json.Unmarshal(content, &l); err != nil {
		return lock{}, fmt.Errorf("read %s: %w", LockFile, err)
	}
	if l.Version != 1 {
		return lock{}, fmt.Errorf("read %s: version %d is not known to this clusterctl", LockFile, l.Version)
	}
	return l, nil
}

// allows says whether requests may go to host.
func (l lock) allows(host string) bool {
	return slices.ContainsFunc(l.Endpoints, func(h string) bool { return strings.EqualFold(h, host) })
}

// withSchemas is the content of a lock with new digests and everything else as
// it was.
func withSchemas(content []byte, digests map[string]string) ([]byte, error) {
	all := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(content)) > 0 {
		if err := json.Unmarshal(content, &all); err != nil {
			return nil, fmt.Errorf("read %s: %w", LockFile, err)
		}
	}
	if all["version"] == nil {
		all["version"] = json.RawMessage("1")
	}
	b, err := json.Marshal(digests)
	if err != nil {
		return nil, err
	}
	all["schemas"] = b
	out, err := json.MarshalIndent(all, "", "  ")
	return append(out, '\n'), err
}
