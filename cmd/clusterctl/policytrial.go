package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/schema"
	"github.com/clusterctl/clusterctl/schema/policy"
)

// policyTrial is one run of policy test.
type policyTrial struct {
	*shell
	*policies
	wanted []string // rules that must deny every plan
	quiet  bool     // says nothing of single plans
	plans  []triedPlan
	dead   []string // rules that no action met so far
}

// triedPlan is what came of one plan.
type triedPlan struct {
	File   string `json:"file"`
	Denied bool   `json:"denied"`
	// Edited: it is not as clusterctl wrote it.
	Edited   bool             `json:"edited"`
	Failures []policy.Failure `json:"failures"`
	// Missing are the rules of --deny that let it pass.
	Missing []string `json:"missing,omitempty"`
}

// rules are those that deny the plan, sorted.
func (p *triedPlan) rules() []string {
	var names []string
	for _, f := range p.Failures {
		names = append(names, f.Rule)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// try holds one plan against the policies.
func (t *policyTrial) try(file string, several bool) error {
	data, edited, err := planToTry(file)
	if err != nil {
		return err
	}
	report, err := t.set.Check(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	p := triedPlan{File: file, Denied: len(report.Failures) > 0, Edited: edited, Failures: report.Failures}
	if p.Failures == nil {
		p.Failures = []policy.Failure{}
	}
	for _, rule := range t.wanted {
		if !slices.Contains(p.rules(), rule) {
			p.Missing = append(p.Missing, rule)
		}
	}
	if len(t.plans) == 0 {
		t.dead = report.Dead
	} else {
		t.dead = slices.DeleteFunc(t.dead, func(rule string) bool { return !slices.Contains(report.Dead, rule) })
	}
	t.plans = append(t.plans, p)
	if t.quiet {
		return nil
	}
	return t.say(&p, report, several)
}

// say prints what came of one plan.
func (t *policyTrial) say(p *triedPlan, report *policy.Report, several bool) error {
	if p.Edited {
		fmt.Fprintf(t.stderr, "%s was changed after clusterctl wrote it; it is judged as it stands\n", p.File)
	}
	verdict := plural(t.set.Len(), "policy holds", "policies hold")
	switch {
	case len(p.Missing) > 0:
		verdict = "not denied by " + strings.Join(p.Missing, ", ")
	case p.Denied:
		verdict = "denied by " + strings.Join(p.rules(), ", ")
	}
	// A denial that was asked for needs no reasons.
	if p.Denied && len(t.wanted) == 0 {
		if several {
			fmt.Fprintf(t.stderr, "%s:\n", p.File)
		}
		if err := schema.WriteText(t.stderr, report.Problems("."), t.colour(t.stderr)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(t.stdout, "%s: %s\n", p.File, verdict)
	return err
}

// end prints what is about all plans and chooses the exit code.
func (t *policyTrial) end(format string) error {
	if format == "json" {
		report := struct {
			FormatVersion  string      `json:"format_version"`
			Policies       []string    `json:"policies"`
			Plans          []triedPlan `json:"plans"`
			MatchedNothing []string    `json:"matched_nothing"`
		}{"1.0", t.set.Names(), t.plans, append([]string{}, t.dead...)}
		if err := t.printJSON(report); err != nil {
			return err
		}
	} else if len(t.dead) > 0 {
		fmt.Fprintf(t.stdout, "Matched nothing: %s\n", strings.Join(t.dead, ", "))
	}
	switch {
	case slices.ContainsFunc(t.plans, func(p triedPlan) bool { return len(p.Missing) > 0 }):
		return quietly(exitError)
	case len(t.wanted) == 0 && slices.ContainsFunc(t.plans, func(p triedPlan) bool { return p.Denied }):
		return quietly(exitDenied)
	}
	return nil
}

// planToTry reads a saved plan, also one that was changed by hand: whoever tests
// a rule needs plans that break it.
func planToTry(file string) (data []byte, edited bool, err error) {
	data, err = os.ReadFile(file)
	if err != nil {
		return nil, false, exitf(exitError, "no saved plan %s: %v", file, cause(err))
	}
	_, err = engine.ReadPlan(bytes.TrimSpace(data))
	if !errors.Is(err, engine.ErrNotAPlan) {
		return data, false, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var plan engine.Plan
	if dec.Decode(&plan) != nil || plan.FormatVersion != engine.FormatVersion {
		return nil, false, fmt.Errorf("%s: %w", file, err)
	}
	return data, true, nil
}
