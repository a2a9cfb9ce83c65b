package schema

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"github.com/google/renameio/v2/maybe"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Vendor writes the schemas into the module at root, with the file that binds
// the package pkg to them, so that the stock cue command and editors judge the
// spec offline. Evaluation by Load never depends on these copies. It returns
// what it changed, relative to root, and changes nothing the second time.
func Vendor(root string, sources []Source, pkg string) (changed []string, err error) {
	if !ast.IsValidIdent(pkg) || strings.HasPrefix(pkg, "_") || strings.HasPrefix(pkg, "#") {
		return nil, fmt.Errorf("vendor schemas: %q is not a package name", pkg)
	}
	want := map[string][]byte{bindFile: bindingFor(sources, pkg)}
	digests := map[string]string{}
	for _, src := range sources {
		c, err := checked(newContext(), src)
		if err != nil {
			return nil, err
		}
		digests[src.Plugin] = src.Digest
		for name, content := range c.files() {
			want[path.Join(vendorDir(src.Plugin), name)] = content
		}
	}
	if module := "cue.mod/module.cue"; !exists(filepath.Join(root, module)) {
		want[module] = moduleFile(moduleName(root))
	}
	old, err := os.ReadFile(filepath.Join(root, LockFile))
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("vendor schemas: %w", err)
	}
	if want[LockFile], err = withSchemas(old, digests); err != nil {
		return nil, fmt.Errorf("vendor schemas: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		done, err := write(filepath.Join(root, filepath.FromSlash(name)), want[name])
		if err != nil {
			return changed, fmt.Errorf("vendor schemas: %w", err)
		}
		if done {
			changed = append(changed, name)
		}
	}
	for _, src := range sources {
		names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(vendorDir(src.Plugin)), "*.cue"))
		if err != nil {
			return changed, fmt.Errorf("vendor schemas: %w", err)
		}
		for _, name := range names {
			if base := filepath.Base(name); base == managedFile || src.Files[base] != nil {
				continue
			}
			if err := os.Remove(name); err != nil {
				return changed, fmt.Errorf("vendor schemas: %w", err)
			}
			changed = append(changed, path.Join(vendorDir(src.Plugin), filepath.Base(name)))
		}
	}
	return changed, nil
}

// files are what stands in the user's module: the plugin's files and ours.
func (c *compiled) files() map[string][]byte {
	files := maps.Clone(c.Files)
	files[managedFile] = c.ours
	return files
}

func vendorDir(plugin string) string { return path.Join("cue.mod", "pkg", schemaImport, plugin) }

// write replaces name as a whole or not at all, where the system can, and leaves
// an equal file alone.
func write(name string, content []byte) (bool, error) {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, content) {
		return false, nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return false, err
	}
	return true, maybe.WriteFile(name, content, 0o644)
}

// moduleName makes a module path of the directory's name.
func moduleName(root string) string {
	name := "fleet"
	if abs, err := filepath.Abs(root); err == nil {
		name = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
				return r
			}
			return -1
		}, strings.ToLower(filepath.Base(abs)))
	}
	name = strings.Trim(name, "-")
	if name == "" {
		name = "fleet"
	}
	return name + ".local/fleet@v0"
}

// staleVendor warns of vendored schemas that differ from those used here:
// editors and stock cue would judge by other limits.
func (l *loader) staleVendor() {
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(l.plugins)) {
		dir := filepath.Join(l.vendor, name)
		names, err := filepath.Glob(filepath.Join(dir, "*.cue"))
		if err != nil || len(names) == 0 {
			continue
		}
		files := map[string][]byte{}
		for _, file := range names {
			if content, err := os.ReadFile(file); err == nil {
				files[filepath.Base(file)] = content
			}
		}
		if provider.SchemaDigest(files) != provider.SchemaDigest(l.plugins[name].files()) {
			stale = append(stale, name)
		}
	}
	if len(stale) > 0 {
		l.report(Problem{
			Severity: Warning, Kind: KindProvider,
			Message: fmt.Sprintf("the vendored schema of %s is not the one of this clusterctl; cue and editors judge by other limits", someOf(stale)),
			Hint:    "run: clusterctl schema sync",
		})
	}
}
