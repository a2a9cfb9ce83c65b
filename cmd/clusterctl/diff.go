package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/pluginhost"
	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/schema"
)

func (sh *shell) diffCommand() *cli.Command {
	return &cli.Command{
		Name: "diff", Usage: "say what a change of the spec changes in clusters, between two revisions in git", ArgsUsage: "BASE [HEAD]",
		Description: "Compares the spec where HEAD left BASE (their merge base) with HEAD, or with the working tree, cluster by\n" +
			"   cluster, and names the line that causes each difference and what the cloud's calls can do about it.\n" +
			"   Needs no credentials and no network, and checks nothing out: revisions are read from git's objects.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "spec", Value: ".", Usage: "the spec's `DIR` or package pattern, in both revisions"},
			&cli.BoolFlag{Name: "allow-shrink", Usage: "show large removals as allowed"},
			&cli.BoolFlag{Name: "detailed-exitcode", Usage: "exit 2 when a cluster differs"},
			pluginDirFlag(), formatFlag("text, json, markdown, html, github, sarif or gitlab"),
		},
		Action: sh.diff,
	}
}

func (sh *shell) diff(c *cli.Context) error {
	format, err := oneOf(c, "format", "text", "json", "markdown", "html", "github", "sarif", "gitlab")
	if err != nil {
		return err
	}
	if n := c.Args().Len(); n < 1 || n > 2 {
		return exitf(exitError, "diff takes one or two revisions, not %d: clusterctl diff BASE [HEAD]", n)
	}
	d := &diffRun{shell: sh, Context: c}
	if err := d.revisions(c.Args().Get(0), c.Args().Get(1)); err != nil {
		return err
	}
	r, err := d.review()
	if r == nil && len(d.problems) > 0 {
		return cmp.Or(d.writeProblems(format), err)
	}
	if err != nil {
		return err
	}
	err = d.write(format, r)
	if err == nil && len(r.Clusters) > 0 && c.Bool("detailed-exitcode") {
		return quietly(exitPending)
	}
	return err
}

// diffRun is one diff.
type diffRun struct {
	*shell
	*cli.Context
	dir        string // the working directory, links resolved as git does
	repo       *repository
	base, head review.Revision
	before     *schema.Snapshot
	after      *schema.Snapshot    // nil: the working tree
	problems   []schema.Problem    // of the head
	depends    map[string][]string // by cluster of the head, those that come before it
}

// revisions finds out what is compared.
func (d *diffRun) revisions(base, head string) error {
	ctx := d.Context.Context
	dir, err := os.Getwd()
	if err == nil {
		d.dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return err
	}
	if d.repo, err = openRepository(ctx); err != nil {
		return err
	}
	tip, err := d.repo.commit(ctx, base)
	if err != nil {
		return err
	}
	newest := head
	if head == "" {
		newest = "HEAD"
	}
	commit, err := d.repo.commit(ctx, newest)
	if err != nil {
		return err
	}
	if d.base.Commit, err = d.repo.mergeBase(ctx, tip, commit); err != nil {
		return err
	}
	if d.base.Name = base; d.base.Commit != tip {
		d.base.Name = "merge base of " + base + " and " + newest
	}
	if d.before, err = d.repo.snapshot(ctx, d.base.Commit); err != nil {
		return err
	}
	if d.head.Name = "working tree"; head != "" {
		d.head = review.Revision{Name: head, Commit: commit}
		d.after, err = d.repo.snapshot(ctx, commit)
	}
	return err
}

// review evaluates both revisions and compares them.
func (d *diffRun) review() (*review.Review, error) {
	var base, head *schema.Fleet
	var baseProblems, headProblems []schema.Problem
	var wait sync.WaitGroup
	wait.Go(func() { base, baseProblems = d.evaluate(d.before) })
	wait.Go(func() { head, headProblems = d.evaluate(d.after) })
	wait.Wait()
	d.problems = headProblems
	if len(headProblems) > 0 {
		if err := schema.WriteText(d.stderr, headProblems, d.colour(d.stderr)); err != nil {
			return nil, err
		}
	}
	if head == nil || schema.Failed(headProblems) {
		return nil, quietly(exitError)
	}
	changed, err := d.changed()
	if err != nil {
		return nil, err
	}
	was, is := sideOf(base), sideOf(head)
	d.depends = map[string][]string{}
	for _, c := range is {
		d.depends[c.Address] = c.Rules.DependsOn
	}
	var unknown []string
	none := d.before.Lacks(d.dir, d.String("spec"))
	if !none {
		unknown = unsound(base, baseProblems, is)
	}
	r := review.Compare(was, is, unknown, changed)
	r.Base, r.Head = d.base, d.head
	switch {
	case none:
		r.Notes = append(r.Notes, "the base has no spec there")
	case schema.Failed(baseProblems):
		r.Notes = append(r.Notes, "the base does not evaluate with the schemas of this clusterctl: "+firstError(baseProblems))
	}
	if base != nil {
		r.Notes = append(r.Notes, lockNotes(base, head)...)
		r.Notes = append(r.Notes, entryNotes(base, head)...)
	}
	return r, d.ask(r, was, is, head)
}

func (d *diffRun) evaluate(s *schema.Snapshot) (*schema.Fleet, []schema.Problem) {
	return schema.Load(schema.Options{Dir: d.dir, Pattern: d.String("spec"), Snapshot: s, Getenv: d.getenv})
}

// unsound are the clusters of the head of which the base says nothing that can
// be compared.
func unsound(base *schema.Fleet, problems []schema.Problem, head []*review.Cluster) []string {
	var list []string
	for _, c := range head {
		if base == nil || slices.ContainsFunc(problems, func(p schema.Problem) bool { return p.Severity == schema.Error && p.Cluster == c.Address }) {
			list = append(list, c.Address)
		}
	}
	return list
}

// lockNotes say what a change of the lock means: other limits for editors and
// stock cue, and other hosts that may be sent signed requests.
func lockNotes(base, head *schema.Fleet) []string {
	var notes []string
	plugins := slices.Sorted(maps.Keys(head.Vendored))
	for _, plugin := range plugins {
		was, is := base.Vendored[plugin], head.Vendored[plugin]
		if was != "" && was != is {
			notes = append(notes, fmt.Sprintf("the schema of plugin %s changed from %.15s to %.15s; both revisions are judged by the one of this clusterctl", plugin, was, is))
		}
	}
	for _, host := range head.Hosts {
		if !slices.Contains(base.Hosts, host) {
			notes = append(notes, fmt.Sprintf("%s allows signed requests to %s from now on", schema.LockFile, host))
		}
	}
	return notes
}

func firstError(problems []schema.Problem) string {
	for _, p := range problems {
		if p.Severity == schema.Error {
			return p.Message
		}
	}
	return ""
}

func sideOf(fleet *schema.Fleet) []*review.Cluster {
	if fleet == nil {
		return nil
	}
	var side []*review.Cluster
	for _, cl := range fleet.Clusters {
		side = append(side, &review.Cluster{
			Cluster: wanted(cl),
			Origins: func(path string) []review.Place {
				var places []review.Place
				for _, p := range cl.Origins(path) {
					places = append(places, review.Place(p))
				}
				return places
			},
		})
	}
	return side
}

// changed says which places were written since the base.
func (d *diffRun) changed() (func(review.Place) bool, error) {
	lines, err := d.repo.written(d.Context.Context, d.base.Commit, d.head.Commit)
	if err != nil {
		return nil, err
	}
	return func(p review.Place) bool {
		name, err := filepath.Rel(d.repo.top, filepath.Join(d.dir, filepath.FromSlash(p.File)))
		if err != nil {
			return false
		}
		return slices.ContainsFunc(lines[filepath.ToSlash(name)], func(s span) bool { return s.from <= p.Line && p.Line <= s.to })
	}, nil
}

// ask starts the plugins of the clusters that differ. Without them the review
// says less, which it notes.
func (d *diffRun) ask(r *review.Review, was, is []*review.Cluster, head *schema.Fleet) error {
	var differ []*engine.Cluster
	for _, c := range is {
		if slices.ContainsFunc(r.Clusters, func(o review.Change) bool { return o.Address == c.Address && o.Kind != review.Added }) {
			differ = append(differ, c.Cluster)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	s, err := d.offline(d.Context.Context, entriesOf(head, differ))
	if err != nil {
		r.Notes = append(r.Notes, "what the clouds' calls can do was not asked: "+strings.ReplaceAll(err.Error(), "\n", "; "))
		return nil
	}
	defer s.close()
	return r.Ask(d.Context.Context, was, is, s.entries, d.Bool("allow-shrink"))
}

// offline starts plugins that get no credentials: they plan and send nothing.
func (d *diffRun) offline(ctx context.Context, wanted []pinned) (*session, error) {
	host := &pluginhost.Host{Dirs: pluginDirs(d.Context)}
	s := &session{entries: map[string]*engine.Entry{}}
	for _, w := range wanted {
		binary, err := host.Find(w.plugin)
		if err != nil {
			s.close()
			return nil, ofEntry(w.name, err)
		}
		plugin, err := host.Start(ctx, binary)
		if err != nil {
			s.close()
			return nil, ofEntry(w.name, err)
		}
		s.plugins = append(s.plugins, plugin)
		description, err := plugin.Describe(ctx)
		if err == nil {
			err = plugin.Configure(ctx, provider.Config{Entry: w.name, Settings: w.settings, Endpoint: w.endpoint, Timing: w.timing,
				Credentials: placeholders(description), UserAgent: "clusterctl/" + version()})
		}
		if err != nil {
			s.close()
			return nil, ofEntry(w.name, err)
		}
		s.entries[w.name] = &engine.Entry{Name: w.name, Provider: plugin.Provider, Description: description, Settings: w.settings,
			Endpoint: w.endpoint, Timing: w.timing, Hash: plugin.Binary.SHA256}
	}
	return s, nil
}

// placeholders stand where a plugin demands credentials. No cloud takes them.
func placeholders(description *provider.Description) map[string]string {
	values := map[string]string{}
	for _, c := range description.Credentials {
		if !c.Optional {
			values[c.Name] = "not-a-credential"
		}
	}
	return values
}
