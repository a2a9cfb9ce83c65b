package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	errHeld    = errors.New("held by another")
	errNoLocks = errors.New("this system has no locks that die with their process, so nothing is applied from it; apply from Linux or macOS")
)

// fsync makes a file's data and length durable, or a directory's entries. Tests
// cut the power here.
var fsync = (*os.File).Sync

// sealed is a value with the checksum of its bytes.
type sealed struct {
	Sum  string          `json:"sum"`
	Body json.RawMessage `json:"body"`
}

// seal is the text of a file that holds v.
func seal(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(sealed{Sum: sumOf(body), Body: body})
	return append(b, '\n'), err
}

// unseal decodes a file's text into v if nothing in it has changed.
func unseal(b []byte, v any) error {
	var f sealed
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	// The same bytes must come out again: a flipped bit outside the body (a
	// key's name, white space) is as suspect as one inside.
	f.Sum = sumOf(f.Body)
	if again, err := json.Marshal(f); err != nil || !bytes.Equal(append(again, '\n'), b) {
		return errors.New("its checksum does not match")
	}
	return json.Unmarshal(f.Body, v)
}

func sumOf(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// writeDurable replaces path, whose only writer the caller is: temporary file,
// fsync, rename, fsync of the directory. A crash leaves the old file or the
// new one, and at worst a temporary file that the next write overwrites.
func writeDurable(path string, b []byte) error {
	temp := path + tempSuffix
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = fsync(f)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp) // gives its room back on a full disk
		return err
	}
	return syncDir(filepath.Dir(path))
}

const tempSuffix = ".tmp"

// makeDir makes dir and those above it, each durable.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	parent := filepath.Dir(dir)
	if errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err = makeDir(parent); err == nil {
			err = os.Mkdir(dir, 0o700)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}
