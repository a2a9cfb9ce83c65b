package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var observeChecks = []check{
	{Rule{ID: "observe-every-key", Text: "Every key is answered exactly once, at both levels, also when two keys mean one cluster."}, observeEveryKey},
	{Rule{ID: "observe-absent", Text: "A key that no live cluster answers to is absent, and no error."}, observeAbsent},
	{Rule{ID: "observe-partial", Text: "A cluster that cannot be read is unread with its own error, and does not stop the others."}, observePartial},
	{Rule{ID: "observe-account", Text: "Without keys every cluster of the account is yielded once, without an address.", Needs: provider.CapList}, observeAccount},
	{Rule{ID: "observe-levels", Text: "LevelSummary shows the same clusters, groups and counts as LevelNodes, which lists as many nodes as it counts."}, observeLevels},
	{Rule{ID: "observe-repeat", Text: "Observe repeated answers the same while nothing changes, also side by side."}, observeRepeat},
	{Rule{ID: "observe-yield", Text: "When yield returns an error, Observe stops and returns it."}, observeYield},
}

// demand reads keys and demands one presence of all.
func demand(ctx context.Context, p provider.Provider, level provider.Level, keys []provider.Key, want provider.Presence) error {
	answers, err := look(ctx, p, level, keys)
	if err != nil {
		return err
	}
	for i, o := range answers {
		if o.Presence != want {
			return fmt.Errorf("%s is %q and not %q at level %s: %v", describeKey(keys[i]), o.Presence, want, level, o.Error)
		}
	}
	return nil
}

// present is a configured provider and the keys of live clusters.
func (b *bench) present(ctx context.Context) (*recorded, []provider.Key, error) {
	if len(b.opts.Present) == 0 {
		return nil, nil, skip("Options.Present is empty")
	}
	p, err := b.working(ctx)
	return p, addressed(b.opts.Present...), err
}

func observeEveryKey(ctx context.Context, b *bench) error {
	p, keys, err := b.present(ctx)
	if err != nil {
		return err
	}
	for _, level := range levels {
		if err := demand(ctx, p, level, keys, provider.Present); err != nil {
			return err
		}
		twice := addressed(append(slices.Clone(keys), keys...)...)
		if err := demand(ctx, p, level, twice, provider.Present); err != nil {
			return fmt.Errorf("every key twice: %w", err)
		}
		for _, key := range keys {
			if err := demand(ctx, p, level, []provider.Key{key}, provider.Present); err != nil {
				return fmt.Errorf("one key alone: %w", err)
			}
		}
	}
	return nil
}

func observeAbsent(ctx context.Context, b *bench) error {
	if len(b.opts.Absent) == 0 {
		return skip("Options.Absent is empty")
	}
	p, err := b.working(ctx)
	if err != nil {
		return err
	}
	for _, level := range levels {
		if err := demand(ctx, p, level, addressed(b.opts.Absent...), provider.Absent); err != nil {
			return err
		}
	}
	return nil
}

func observePartial(ctx context.Context, b *bench) error {
	if len(b.opts.Unreadable) == 0 {
		return skip("Options.Unreadable is empty")
	}
	p, err := b.working(ctx)
	if err != nil {
		return err
	}
	keys := addressed(slices.Concat(b.opts.Unreadable, b.opts.Present, b.opts.Absent)...)
	answers, err := look(ctx, p, provider.LevelNodes, keys)
	if err != nil {
		return err
	}
	for i, o := range answers {
		want := provider.Absent
		switch {
		case i < len(b.opts.Unreadable):
			want = provider.Unread
		case i < len(b.opts.Unreadable)+len(b.opts.Present):
			want = provider.Present
		}
		if o.Presence != want {
			return fmt.Errorf("%s is %q and not %q: %v", describeKey(keys[i]), o.Presence, want, o.Error)
		}
	}
	return nil
}

func observeAccount(ctx context.Context, b *bench) error {
	p, keys, err := b.present(ctx)
	if err != nil {
		return err
	}
	known, err := look(ctx, p, provider.LevelSummary, keys)
	if err != nil {
		return err
	}
	for _, level := range levels {
		kinds := map[string]string{}
		err := p.Observe(ctx, provider.ObserveRequest{Level: level}, func(o provider.Observation) error {
			if o.Address != "" || o.Presence != provider.Present && o.Presence != provider.Unread {
				return fmt.Errorf("it yields address %q, %s", o.Address, o.Presence)
			}
			if err := sound(o, provider.Key{}); err != nil {
				return fmt.Errorf("an answer %w", err)
			}
			if o.Cluster == nil {
				return nil
			}
			if kinds[o.Cluster.ID] != "" {
				return fmt.Errorf("cluster %s is yielded twice", o.Cluster.ID)
			}
			kinds[o.Cluster.ID] = o.Cluster.Kind
			return nil
		})
		if err != nil {
			return fmt.Errorf("Observe of the account at level %s: %w", level, err)
		}
		for _, o := range known {
			if o.Cluster != nil && kinds[o.Cluster.ID] != o.Cluster.Kind {
				return fmt.Errorf("level %s shows cluster %s, a %s, as %q", level, o.Cluster.ID, o.Cluster.Kind, kinds[o.Cluster.ID])
			}
		}
	}
	return nil
}

func observeLevels(ctx context.Context, b *bench) error {
	p, keys, err := b.present(ctx)
	if err != nil {
		return err
	}
	var shapes [2][]string
	for i, level := range levels {
		answers, err := look(ctx, p, level, keys)
		if err != nil {
			return err
		}
		for _, o := range answers {
			if o.Cluster == nil {
				return fmt.Errorf("%s is %q", o.Address, o.Presence)
			}
			shape := fmt.Sprintf("%s %q %s", o.Cluster.ID, o.Cluster.Name, o.Cluster.Kind)
			for _, g := range o.Cluster.Groups {
				shape += fmt.Sprintf(" %s:%d", g.Role, g.Count)
				if level == provider.LevelNodes && len(g.Nodes) != g.Count {
					return fmt.Errorf("cluster %s: group %s counts %d nodes and lists %d", o.Cluster.ID, g.Role, g.Count, len(g.Nodes))
				}
			}
			shapes[i] = append(shapes[i], shape)
		}
	}
	if !slices.Equal(shapes[0], shapes[1]) {
		return fmt.Errorf("the levels differ: %q and %q", shapes[0], shapes[1])
	}
	return nil
}

// still is answers without what may differ from read to read.
func still(answers []provider.Observation) (string, error) {
	answers = slices.Clone(answers)
	for i := range answers {
		answers[i].At = time.Time{}
	}
	b, err := json.Marshal(answers)
	return string(b), err
}

func observeRepeat(ctx context.Context, b *bench) error {
	p, keys, err := b.present(ctx)
	if err != nil {
		return err
	}
	keys = addressed(append(keys, b.opts.Absent...)...)
	for _, level := range levels {
		var mu sync.Mutex
		first := ""
		again := func() error {
			answers, err := look(ctx, p, level, keys)
			if err != nil {
				return err
			}
			text, err := still(answers)
			mu.Lock()
			defer mu.Unlock()
			if first == "" {
				first = text
			}
			if err == nil && text != first {
				err = fmt.Errorf("the answers differ from the first at level %s: %s and %s", level, first, text)
			}
			return err
		}
		if err := b.times(again); err != nil {
			return err
		}
		if err := together(again, again, again, again); err != nil {
			return fmt.Errorf("side by side: %w", err)
		}
	}
	return nil
}

// together calls functions side by side.
func together(functions ...func() error) error {
	errs := make([]error, len(functions))
	var running sync.WaitGroup
	for i, f := range functions {
		running.Go(func() { errs[i] = f() })
	}
	running.Wait()
	return errors.Join(errs...)
}

func observeYield(ctx context.Context, b *bench) error {
	p, keys, err := b.present(ctx)
	if err != nil {
		return err
	}
	enough := errors.New("enough")
	for _, level := range levels {
		calls := 0
		err := p.Observe(ctx, provider.ObserveRequest{Level: level, Keys: addressed(append(keys, keys...)...)}, func(provider.Observation) error {
			calls++
			return enough
		})
		if !errors.Is(err, enough) || calls != 1 {
			return fmt.Errorf("yield was called %d times at level %s, and Observe returned: %v", calls, level, err)
		}
	}
	return nil
}
