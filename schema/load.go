package schema

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
)

// Options say what to load. The zero value loads the working directory against
// the clouds that are built in.
type Options struct {
	Dir     string   // working directory; file names in problems are relative to it
	Pattern string   // directory or package pattern; default "."
	Sources []Source // default Builtin()
	// Snapshot is what is evaluated in place of the files on disk; Dir and
	// Pattern name a directory as if it were checked out. nil: the disk.
	Snapshot *Snapshot
	// Getenv reads CCTL_ENDPOINT_<PLUGIN> and CCTL_TIMING, which override what
	// the entries say under the same rules. nil: no overrides.
	Getenv func(string) string
}

// Fleet is a spec: the accounts and the sound clusters in them.
type Fleet struct {
	Root string // the module root
	// Digest is over everything evaluated and the schemas it was judged by.
	Digest    string
	Providers map[string]*Entry
	Clusters  []*Cluster // by address
	Total     int        // with those that are not sound
	// Vendored and Hosts are what LockFile says: the digest of each plugin's schema
	// that stands in the module, and hosts outside the clouds' own domains that may
	// receive signed requests.
	Vendored map[string]string
	Hosts    []string
}

// Load reads a spec and tells everything that is wrong with it, sorted by file
// and line. The fleet is nil only when nothing could be read. It may be used
// when no problem is an Error.
func Load(opts Options) (*Fleet, []Problem) {
	l, fault := newLoader(opts)
	if fault != nil {
		return nil, []Problem{*fault}
	}
	fleet := l.load()
	return fleet, sortProblems(l.problems)
}

type loader struct {
	*tree
	ctx      *cue.Context
	getenv   func(string) string
	lock     lock
	plugins  map[string]*compiled
	entries  map[string]*compiled // nil: its plugin is not known
	problems []Problem
	eval     sync.Mutex
}

func newLoader(opts Options) (*loader, *Problem) {
	fail := func(kind string, err error) (*loader, *Problem) {
		return nil, &Problem{Severity: Error, Kind: kind, Message: err.Error()}
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return fail(KindReference, err)
	}
	sources := opts.Sources
	if sources == nil {
		sources = Builtin()
	}
	t, fault := openTree(dir, cmp.Or(opts.Pattern, "."), opts.Snapshot, sources)
	if fault != nil {
		return nil, fault
	}
	l := &loader{tree: t, ctx: newContext(), getenv: opts.Getenv, plugins: map[string]*compiled{}, entries: map[string]*compiled{}}
	if l.getenv == nil {
		l.getenv = func(string) string { return "" }
	}
	for _, src := range sources {
		c, err := trusted(l.ctx, src)
		if err != nil {
			return fail(KindProvider, err)
		}
		l.plugins[src.Plugin] = c
		t.overlay[filepath.Join(t.vendor, src.Plugin, managedFile)] = load.FromBytes(c.ours)
	}
	t.secrets = secretText(l.plugins)
	if l.lock, err = t.readLock(); err != nil {
		p := Problem{Severity: Error, Kind: KindSyntax, Message: err.Error(), File: t.rel(filepath.Join(t.root, LockFile))}
		return nil, &p
	}
	return l, nil
}

// trusted compiles src, with the full check once per process and digest.
func trusted(ctx *cue.Context, src Source) (*compiled, error) {
	key := [2]string{src.Plugin, src.Digest}
	if _, ok := sound.Load(key); ok {
		return compile(ctx, src)
	}
	c, err := checked(ctx, src)
	if err == nil {
		sound.Store(key, true)
	}
	return c, err
}

var sound sync.Map // of [2]string

// newContext is a context whose evaluation does not depend on CUE_DEBUG, with
// which CUE's own developers open definitions and the like: CUE reads that
// variable before we can.
func newContext() *cue.Context { return cuecontext.New(cuecontext.CUE_DEBUG("")) }

func (l *loader) report(problems ...Problem) { l.problems = append(l.problems, problems...) }

// load evaluates the spec. What cannot be built at all stops it; after that
// every entry and cluster is judged by itself.
func (l *loader) load() *Fleet {
	insts := load.Instances(l.args, l.config())
	if l.report(l.refused...); len(l.problems) > 0 {
		return nil
	}
	inst, raw := l.pick(insts)
	if inst == nil {
		return nil
	}
	if l.snapshot == nil {
		l.staleVendor()
	}
	fleet := &Fleet{Root: l.root, Providers: map[string]*Entry{}, Vendored: l.lock.Schemas, Hosts: l.lock.Endpoints}
	l.outside(raw)
	digest := sha256.New()
	l.each(raw, "providers", func(name string, v cue.Value) {
		e, c := l.entry(name, v)
		l.entries[name] = c
		if e != nil {
			fleet.Providers[name] = e
			fmt.Fprintf(digest, "provider %q %s %s%s\n", name, e.SchemaDigest, e.Settings, e.Rules)
		}
	})
	all, silent := map[string]cue.Value{}, map[string]bool{}
	l.each(raw, "clusters", func(address string, v cue.Value) {
		fleet.Total++
		all[address] = v
		c := l.cluster(address, v)
		silent[address] = c != nil && c.Rules == nil
		if c != nil && fleet.Providers[c.Entry] != nil {
			fleet.Clusters = append(fleet.Clusters, c)
		}
	})
	slices.SortFunc(fleet.Clusters, func(a, b *Cluster) int { return strings.Compare(a.Address, b.Address) })
	for _, c := range fleet.Clusters {
		fmt.Fprintf(digest, "cluster %q %s %s%s\n", c.Address, fleet.Providers[c.Entry].SchemaDigest, c.Spec, c.Rules)
	}
	fleet.Digest = "sha256:" + hex.EncodeToString(digest.Sum(nil))
	l.twins(fleet)
	l.single(fleet)
	l.depends(all, silent)
	return fleet
}

// each visits the fields of a top-level struct.
func (l *loader) each(raw cue.Value, field string, visit func(name string, v cue.Value)) {
	v, depth := descend(raw, []string{field})
	if depth == 0 {
		return
	}
	it, err := v.Fields()
	if err != nil {
		s := &subject{tree: l.tree, raw: raw, where: "the spec"}
		l.report(s.problem(Problem{Kind: KindLimit, Path: field, Message: fmt.Sprintf("%s must be a struct with one field for each, not %s", field, describe(v))}, field))
		return
	}
	for it.Next() {
		visit(it.Selector().Unquoted(), it.Value())
	}
}

// outside tells what is wrong around providers and clusters.
func (l *loader) outside(raw cue.Value) {
	s := &subject{tree: l.tree, raw: raw, where: "the spec"}
	it, err := raw.Fields()
	for err == nil && it.Next() {
		name := it.Selector().Unquoted()
		if name == "providers" || name == "clusters" {
			continue
		}
		p := s.problem(Problem{Kind: KindUnknownField, Message: fmt.Sprintf("%q is not a top-level field of a spec", name)})
		s.place(&p, labelPos(it.Value()))
		if near := nearest(name, []string{"providers", "clusters"}); near != "" {
			p.Hint = fmt.Sprintf("did you mean %q?", near)
		} else {
			p.Hint = "a template is a definition (#" + name + ") or a hidden field (_" + name + ")"
		}
		l.report(p)
	}
	if raw.Err() == nil {
		return
	}
	for _, e := range errors.Errors(raw.Validate()) {
		path := relative(e.Path(), 0)
		if len(path) >= 2 && (path[0] == "clusters" || path[0] == "providers") {
			continue // judged with its cluster or entry
		}
		l.report(s.explain(e, 0, true)...)
	}
}
