package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/schema"
)

// adoptReport is what adopt found and what it writes.
type adoptReport struct {
	rows    []adoptRow
	unread  []error
	content []byte // nil: nothing to write
}

// adoptRow is one live cluster.
type adoptRow struct {
	Name   string       `json:"name"`
	ID     string       `json:"id"`
	Entry  string       `json:"entry"`
	Kind   string       `json:"kind"`
	State  string       `json:"state"`
	Groups []adoptGroup `json:"groups"`
	// Spec is "has" for clusters that the spec has already, "new" for those
	// that can be written, "not" for those that cannot.
	Spec string `json:"spec"`
	Key  string `json:"key,omitempty"` // in the spec, now or once it is written
	// Required are the fields that a person has to fill in, NotStated what is
	// live and cannot stand in a spec, Reason why the cluster is not written.
	Required  []string `json:"required,omitempty"`
	NotStated []string `json:"not_stated,omitempty"`
	Reason    string   `json:"reason,omitempty"`
}

type adoptGroup struct {
	Role  string `json:"role"`
	Count int    `json:"count"`
}

// adoption decides for every live cluster whether the spec has it, and what is
// to be written of the others.
func adoption(spec *schema.Adoption, found *accounts, targets, excludes []string) (*adoptReport, error) {
	var fresh []schema.Live
	rows, standings := make([]adoptRow, len(found.live)), spec.Standings(found.live)
	bearers := map[string]int{}
	for i, live := range found.live {
		rows[i] = rowOf(live)
		if standings[i].Key == "" {
			fresh = append(fresh, live)
			continue
		}
		rows[i].Spec, rows[i].Key = "has", standings[i].Key
		bearers[rows[i].Key]++
		if kind := standings[i].Kind; kind != live.State.Kind {
			rows[i].Reason = fmt.Sprintf("the spec says that its kind is %q", kind)
		}
	}
	// Keys are given to all, so that they do not depend on what was chosen.
	adopted := spec.Judge(fresh)
	byID := map[string]*schema.Adopted{}
	for i := range adopted {
		one := &adopted[i]
		byID[one.Entries[0]+" "+one.State.ID] = one
		if why := unready(one.State.Status); why != "" {
			one.Refused = why
		}
	}
	report := &adoptReport{unread: found.unread}
	var chosen []schema.Adopted
	matched := map[string]bool{}
	for _, row := range rows {
		one := byID[row.Entry+" "+row.ID]
		if row.Spec == "has" {
			one = nil
			if n := bearers[row.Key]; n > 1 {
				row.Reason = strings.TrimSuffix(fmt.Sprintf("%d clusters may be meant; state the id of one under that key; %s", n, row.Reason), "; ")
			}
		} else {
			row.Key = one.Key
		}
		hit := func(pattern string) bool {
			if !matches(pattern, row.Key) && !matches(pattern, row.Name) && !matches(pattern, row.ID) {
				return false
			}
			matched[pattern] = true
			return true
		}
		in, out := count(targets, hit), count(excludes, hit)
		if len(targets) > 0 && in == 0 || out > 0 {
			continue
		}
		report.rows = append(report.rows, row)
		if one != nil {
			chosen = append(chosen, *one)
		}
	}
	for _, pattern := range slices.Concat(targets, excludes) {
		if !matched[pattern] {
			return nil, errors.Join(append(slices.Clone(found.unread), noLive(pattern, rows))...)
		}
	}
	var err error
	if report.content, err = settleAdoption(spec, chosen); err != nil {
		return nil, err
	}
	report.note(chosen)
	return report, nil
}

func count(patterns []string, hit func(string) bool) (n int) {
	for _, p := range patterns {
		if hit(p) {
			n++
		}
	}
	return n
}

func noLive(pattern string, rows []adoptRow) error {
	var names []string
	for _, row := range rows {
		names = append(names, row.Name)
	}
	if n := len(names); n > 8 {
		names = append(names[:8], fmt.Sprintf("and %d more", n-8))
	}
	if len(names) == 0 {
		return exitf(exitError, "no cluster matches %q; there are none", pattern)
	}
	return exitf(exitError, "no cluster matches %q; there are %s", pattern, strings.Join(names, ", "))
}

// unready says why a cluster in a state is not written: its counts may not be
// those that it will have.
func unready(status provider.Status) string {
	switch status {
	case provider.StatusReady:
		return ""
	case provider.StatusBusy:
		return "it is changing; adopt it when it is at rest"
	case provider.StatusBroken:
		return "it needs a person first; adopt it when it is well again"
	}
	return "the plugin does not know this state; adopt it when it is at rest"
}

func rowOf(live schema.Live) adoptRow {
	row := adoptRow{Name: live.State.Name, ID: live.State.ID, Entry: live.Entries[0], Kind: live.State.Kind, State: live.State.StatusText, Groups: []adoptGroup{}}
	if row.State == "" {
		row.State = string(live.State.Status)
	}
	for _, g := range live.State.Groups {
		row.Groups = append(row.Groups, adoptGroup{g.Role, g.Count})
	}
	return row
}

// settleAdoption writes the chosen clusters and holds the result against the
// rest of the spec and against what is live: the spec must take them, and a
// plan must have nothing to change. Those for which that is not so are refused.
func settleAdoption(spec *schema.Adoption, chosen []schema.Adopted) ([]byte, error) {
	for {
		ours := map[string]*schema.Adopted{}
		for i := range chosen {
			if chosen[i].Refused == "" {
				ours[chosen[i].Key] = &chosen[i]
			}
		}
		if len(ours) == 0 {
			return nil, nil
		}
		content, err := spec.Content(chosen)
		if err != nil {
			return nil, err
		}
		fleet, problems := spec.Preview(content)
		if fleet == nil {
			var text strings.Builder
			_ = schema.WriteText(&text, problems, false) // into memory
			return nil, fmt.Errorf("the spec would not hold together with what was read:\n%s", text.String())
		}
		if !refuse(ours, fleet, problems) {
			return content, nil
		}
	}
}

// refuse marks those of ours that the spec does not take or that would not be
// as they are, and says whether there were any.
func refuse(ours map[string]*schema.Adopted, fleet *schema.Fleet, problems []schema.Problem) bool {
	refused, lacking := false, map[string]bool{}
	for _, p := range problems {
		one := ours[p.Cluster]
		if one == nil || one.Refused != "" || p.Severity != schema.Error {
			continue
		}
		gap := slices.IndexFunc(one.Required, func(path string) bool { return p.Path == path || strings.HasPrefix(p.Path, path+".") })
		if gap >= 0 {
			lacking[one.Key+" "+one.Required[gap]] = true
			continue
		}
		one.Refused, refused = "the spec does not take it: "+p.Message, true
	}
	sound := map[string]*schema.Cluster{}
	for _, cl := range fleet.Clusters {
		sound[cl.Address] = cl
	}
	for _, one := range ours {
		if one.Refused != "" {
			continue
		}
		// What the spec says of all its clusters may have filled gaps.
		one.Required = slices.DeleteFunc(one.Required, func(path string) bool { return !lacking[one.Key+" "+path] })
		cl := sound[one.Key]
		switch {
		case cl != nil:
			one.Refused = differs(cl, one.State)
		case len(one.Required) == 0:
			one.Refused = "the spec does not take it"
		}
		refused = refused || one.Refused != ""
	}
	return refused
}

// differs says what a plan would want to change of a cluster as written.
func differs(cl *schema.Cluster, live *provider.State) string {
	diff, err := engine.Diff(wanted(cl), live)
	if err != nil {
		return err.Error()
	}
	var paths []string
	for _, ch := range diff.Changes {
		for _, f := range ch.Fields {
			paths = append(paths, strings.TrimPrefix(ch.Group+"."+f.Path, "."))
		}
	}
	for _, b := range diff.Blocked {
		for _, f := range b.Fields {
			paths = append(paths, strings.TrimPrefix(b.Group+"."+f.Path, "."))
		}
	}
	if len(paths) == 0 {
		return ""
	}
	return "what the spec says of all its clusters differs from what is live: " + strings.Join(paths, ", ")
}

// note puts what became of the chosen into their rows.
func (r *adoptReport) note(chosen []schema.Adopted) {
	of := map[string]*schema.Adopted{}
	for i := range chosen {
		of[chosen[i].Entries[0]+" "+chosen[i].State.ID] = &chosen[i]
	}
	for i := range r.rows {
		row := &r.rows[i]
		one := of[row.Entry+" "+row.ID]
		switch {
		case one == nil:
		case one.Refused != "":
			row.Spec, row.Key, row.Reason = "not", "", one.Refused
		default:
			row.Spec, row.Required, row.NotStated = "new", one.Required, one.LeftOut
		}
	}
}
