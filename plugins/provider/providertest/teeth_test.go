package providertest_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest"
)

// Every broken provider is caught by the rules that are meant for its fault,
// and by no other.
func TestTeeth(t *testing.T) {
	for _, tt := range slices.Concat(brokenReads, brokenPlans, brokenStarts, brokenPolls) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newBoxes()
			opts := options(c)
			opts.Soon = 2 * time.Second
			results := providertest.Check(t.Context(), func() provider.Provider {
				m := &memory{cloud: c}
				f := providertest.Wrap(m)
				tt.fault(f, m)
				return f
			}, impatient(opts))
			told := map[string]error{}
			for _, r := range results {
				if r.Err != nil {
					told[r.ID] = r.Err
				}
			}
			want := slices.Sorted(slices.Values(tt.rules))
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(told))); diff != "" {
				t.Errorf("broken rules (-want +got):\n%s%v", diff, told)
			}
		})
	}
}

// unquoted declares prices and has none.
type unquoted struct{ provider.Provider }

// There is a fault for every rule that finds it.
func TestEveryRuleBites(t *testing.T) {
	bites := map[string]bool{}
	for _, tt := range slices.Concat(brokenReads, brokenPlans, brokenStarts, brokenPolls) {
		for _, id := range tt.rules {
			bites[id] = true
		}
	}
	c := newBoxes()
	refused := options(c)
	refused.Config.Settings = nil
	for _, check := range []struct {
		opts  providertest.Options
		wrap  func(provider.Provider) provider.Provider
		rules []string
	}{
		{options(c), func(p provider.Provider) provider.Provider { return unquoted{p} }, []string{"describe-quoter", "quote-bad-request", "quote-price"}},
		{refused, func(p provider.Provider) provider.Provider { return p }, []string{"configure-sound"}},
	} {
		for _, r := range providertest.Check(t.Context(), func() provider.Provider { return check.wrap(&memory{cloud: c}) }, check.opts) {
			if slices.Contains(check.rules, r.ID) {
				bites[r.ID] = r.Err != nil
			}
		}
	}
	for _, r := range providertest.Rules() {
		if !bites[r.ID] {
			t.Errorf("nothing breaks %s", r.ID)
		}
	}
}

// impatient waits for no more than is due: a cluster that does not get there
// must not hold up the test.
func impatient(opts providertest.Options) providertest.Options {
	wait := opts.Wait
	waited := 0
	opts.Wait = func(ctx context.Context) error {
		if waited++; waited > 50 {
			return errors.New("enough waited")
		}
		return wait(ctx)
	}
	return opts
}

// What a provider prints is looked through as well.
func TestPrintedSecret(t *testing.T) {
	for _, form := range []string{goodKey, "%22" + goodSecret, "x" + "Y2FuYXJ5LWtleS1vZi10aGUtYWNjb3VudA==", `canary-with-a\nline-break`} {
		c := newBoxes()
		opts := options(c)
		opts.Output = func() string { return "level=debug sent=" + form + " ok" }
		for _, r := range providertest.Check(t.Context(), func() provider.Provider { return &memory{cloud: c} }, opts) {
			if broken := r.ID == "secrets-hidden"; broken != (r.Err != nil) {
				t.Errorf("printed %s: %s: %v", form, r.ID, r.Err)
			} else if broken && strings.Contains(r.Err.Error(), form) {
				t.Errorf("the finding shows it: %v", r.Err)
			}
		}
	}
}
