package pluginhost

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Prefix begins the file name of every plugin; the plugin's name follows.
const Prefix = "cluster-provider-"

// Host finds and starts plugins. The zero value works.
type Host struct {
	// Dirs are looked in first, in this order (--plugin-dir).
	Dirs []string
	// Log, when set, gets every line that a plugin prints, cleaned of escapes
	// and secrets. It is called from several goroutines at a time and should
	// return soon: a plugin that prints waits for it.
	Log func(plugin, line string)

	StartTimeout time.Duration // until a new process answers; 0: 20 s
	// LocalTimeout is for Describe, Configure and Plan, which ask no cloud;
	// 0: 1 min. CloudTimeout is for Start, Poll and Quote, and for the pause
	// between two observations; 0: 5 min. A context that ends earlier holds.
	LocalTimeout, CloudTimeout time.Duration
	// Grace is what a plugin gets to exit by itself; 0: 3 s. Of it go-plugin
	// grants at most two seconds once the plugin has acknowledged.
	Grace time.Duration
}

// Binary is a plugin on disk.
type Binary struct {
	Name   string // "huawei"
	Path   string // absolute
	SHA256 string // of the file, in hex
}

// pluginNames keeps a spec from naming files elsewhere.
var pluginNames = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// Find returns the first plugin of that name in the places that Host looks in.
// PATH is never one of them: what runs with a cloud's keys is not found by
// accident.
func (h *Host) Find(name string) (Binary, error) {
	if !pluginNames.MatchString(name) {
		return Binary{}, fmt.Errorf("plugin %q: a name has lower-case letters, digits, - and _ only", name)
	}
	dirs, err := h.places()
	if err != nil {
		return Binary{}, fmt.Errorf("plugin %s: %w", name, err)
	}
	for _, dir := range dirs {
		b, err := inspect(filepath.Join(dir, Prefix+name+suffix()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Binary{}, fmt.Errorf("plugin %s: %w", name, err)
		}
		return b, nil
	}
	return Binary{}, fmt.Errorf("plugin %s is not installed: no %s in %s",
		name, Prefix+name+suffix(), strings.Join(dirs, ", "))
}

// List returns every plugin that Find would return, by name. A file that bears
// a plugin's name but cannot be one is in the error, beside the others.
func (h *Host) List() ([]Binary, error) {
	dirs, err := h.places()
	if err != nil {
		return nil, err
	}
	var (
		found []Binary
		bad   []error
		seen  = map[string]bool{}
	)
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			bad = append(bad, err)
		}
		for _, e := range entries {
			name, isPlugin := pluginName(e.Name())
			if !isPlugin || seen[name] {
				continue
			}
			b, err := inspect(filepath.Join(dir, e.Name()))
			if errors.Is(err, fs.ErrNotExist) {
				continue // a dangling link; Find goes on, too
			}
			seen[name] = true
			if err != nil {
				bad = append(bad, fmt.Errorf("plugin %s: %w", name, err))
				continue
			}
			found = append(found, b)
		}
	}
	slices.SortFunc(found, func(a, b Binary) int { return strings.Compare(a.Name, b.Name) })
	return found, errors.Join(bad...)
}

// places are the folders to look in, in order, each once.
func (h *Host) places() ([]string, error) {
	dirs := slices.Clone(h.Dirs)
	if self, err := os.Executable(); err == nil {
		// A link to the binary is not where its plugins are.
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		dirs = append(dirs, filepath.Dir(self))
	}
	// The XDG specification has a relative value ignored.
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		dirs = append(dirs, filepath.Join(data, "clusterctl", "plugins"))
	} else if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, ".local", "share", "clusterctl", "plugins"))
	}
	var out []string
	for _, dir := range dirs {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("plugin folder %s: %w", dir, err)
		}
		if !slices.Contains(out, abs) {
			out = append(out, abs)
		}
	}
	return out, nil
}

func suffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// pluginName is the name in a file's name.
func pluginName(file string) (string, bool) {
	name, ok := strings.CutPrefix(file, Prefix)
	if ok && suffix() != "" {
		name, ok = strings.CutSuffix(name, suffix())
	}
	return name, ok && pluginNames.MatchString(name)
}

// inspect reads what is known of a plugin from its file alone.
func inspect(path string) (Binary, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Binary{}, err
	}
	if !info.Mode().IsRegular() {
		return Binary{}, fmt.Errorf("%s is not a file", path)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0 {
		return Binary{}, fmt.Errorf("%s is not executable; run chmod +x on it", path)
	}
	sum, err := digest(path)
	if err != nil {
		return Binary{}, err
	}
	name, _ := pluginName(filepath.Base(path))
	return Binary{Name: name, Path: path, SHA256: sum}, nil
}

func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
