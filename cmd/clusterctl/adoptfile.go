package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// newFileName refuses what adopt cannot write or the loader would not read,
// before anything is asked of a cloud. Nothing and - are no names of files.
func newFileName(out string) error {
	if out == "" || out == "-" {
		return nil
	}
	name := filepath.Base(out)
	stem, isCUE := strings.CutSuffix(name, ".cue")
	if info, err := os.Stat(out); err == nil && info.IsDir() {
		return exitf(exitError, "%s is a directory; name a new file in it: %s", out, filepath.Join(out, "adopted.cue"))
	}
	switch {
	case !isCUE:
		return exitf(exitError, "--out %s: a file of a spec has a name that ends in .cue", out)
	case strings.HasPrefix(name, "_"), strings.HasPrefix(name, "."), strings.HasSuffix(stem, "_tool"), strings.HasSuffix(stem, "_test"), stem == "clusterctl_bind":
		return exitf(exitError, "--out %s: files of that name are not read as part of a spec", out)
	}
	if _, err := os.Lstat(out); err == nil {
		return existsAlready(out)
	}
	if info, err := os.Stat(filepath.Dir(out)); err != nil {
		return exitf(exitError, "--out %s: no directory %s", out, filepath.Dir(out))
	} else if !info.IsDir() {
		return exitf(exitError, "--out %s: %s is not a directory", out, filepath.Dir(out))
	}
	return nil
}

func existsAlready(out string) error {
	return exitf(exitError, "%s exists already, and adopt overwrites nothing; name a new file", out)
}

// placeNew writes a file that does not exist yet, whole or not at all. It is
// written beside its place and linked to it, which replaces nothing; link is
// os.Link. Where the file system has no links its place is taken first.
func placeNew(out string, content []byte, link func(from, to string) error) error {
	// Not os.CreateTemp, whose files only their owner may read.
	temp := filepath.Join(filepath.Dir(out), ".clusterctl-adopt-"+rand.Text())
	failed := func(err error) error {
		return errors.Join(exitf(exitError, "%s cannot be written: %v", out, cause(err)), ignoreMissing(os.Remove(temp)))
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return failed(err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return failed(err)
	}
	err = link(temp, out)
	switch {
	case err == nil:
		return ignoreMissing(os.Remove(temp))
	case errors.Is(err, fs.ErrExist):
		return errors.Join(existsAlready(out), ignoreMissing(os.Remove(temp)))
	}
	place, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return errors.Join(existsAlready(out), ignoreMissing(os.Remove(temp)))
	}
	if err == nil {
		if err = errors.Join(place.Close(), os.Rename(temp, out)); err != nil {
			err = errors.Join(err, os.Remove(out))
		}
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
