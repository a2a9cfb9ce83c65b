package pluginhost

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, path, content string, mode os.FileMode) Binary {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	name, _ := pluginName(filepath.Base(path))
	sum := sha256.Sum256([]byte(content))
	return Binary{Name: name, Path: path, SHA256: hex.EncodeToString(sum[:])}
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	t.Setenv("XDG_DATA_HOME", filepath.Join(root, "data"))
	onPath := filepath.Join(root, "path")
	t.Setenv("PATH", onPath)
	file := func(dir, name string) string { return filepath.Join(root, dir, Prefix+name+suffix()) }

	first := write(t, file("first", "huawei"), "one", 0o755)
	write(t, file("second", "huawei"), "two", 0o755)
	second := write(t, file("second", "aliyun"), "three", 0o755)
	data := write(t, file("data/clusterctl/plugins", "qingcloud"), "four", 0o755)
	write(t, file("path", "onpath"), "five", 0o755)
	plain := write(t, file("second", "plain"), "six", 0o644)
	write(t, file("first", "UPPER"), "seven", 0o755)
	if err := os.Mkdir(file("first", "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := &Host{Dirs: []string{filepath.Join(root, "first"), filepath.Join(root, "second"), filepath.Join(root, "missing")}}
	places := strings.Join([]string{h.Dirs[0], h.Dirs[1], h.Dirs[2], filepath.Dir(self), filepath.Join(root, "data/clusterctl/plugins")}, ", ")

	tests := []struct {
		name string
		want Binary
		err  string
	}{
		{"huawei", first, ""},
		{"aliyun", second, ""},
		{"qingcloud", data, ""},
		{"onpath", Binary{}, "plugin onpath is not installed: no " + Prefix + "onpath" + suffix() + " in " + places},
		{"plain", Binary{}, "plugin plain: " + plain.Path + " is not executable; run chmod +x on it"},
		{"folder", Binary{}, "plugin folder: " + file("first", "folder") + " is not a file"},
		{"../second/huawei", Binary{}, `plugin "../second/huawei": a name has lower-case letters, digits, - and _ only`},
		{"", Binary{}, `plugin "": a name has lower-case letters, digits, - and _ only`},
	}
	for _, test := range tests {
		got, err := h.Find(test.name)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != test.err {
			t.Errorf("%s: error\n got %s\nwant %s", test.name, text, test.err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}

	got, err := h.List()
	if diff := cmp.Diff([]Binary{second, first, data}, got); diff != "" {
		t.Error(diff)
	}
	if err == nil || !strings.Contains(err.Error(), "plain is not executable") || !strings.Contains(err.Error(), "folder is not a file") {
		t.Errorf("the list hides what is wrong: %v", err)
	}
}

func TestPlaces(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_DATA_HOME", "relative/is/ignored")
	h := &Host{Dirs: []string{"here", "here"}}
	got, err := h.places()
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("here")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0] != here || got[2] != filepath.Join(home, ".local", "share", "clusterctl", "plugins") {
		t.Errorf("got %q", got)
	}
}
