package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

	"github.com/clusterctl/clusterctl/schema"
)

// Failure is a rule that an action breaks, or the plan.
type Failure struct {
	Rule    string `json:"rule"`
	Message string `json:"message,omitempty"` // the rule's own
	Detail  string `json:"detail"`            // what does not hold
	// Action, Address and Change say what breaks it: "a1", "analytics/core",
	// "scale_out 5 → 60"; empty: the plan as a whole.
	Action  string `json:"action,omitempty"`
	Address string `json:"address,omitempty"`
	Change  string `json:"change,omitempty"`
	// Source is the action's line in the spec.
	Source string `json:"source,omitempty"`
	// Constraint is where the broken constraint stands: "policy/limits.cue:7:18".
	Constraint string `json:"constraint"`

	// at is the constraint's line, for what has none in the spec.
	at schema.Problem
}

// Reason is the failure in one sentence.
func (f *Failure) Reason() string {
	text := f.Rule + ": "
	if f.Message != "" {
		text += f.Message + ": "
	}
	return text + f.Detail
}

// Report is what came of holding a plan against the policies.
type Report struct {
	// Failures by the spec's lines, then by rule.
	Failures []Failure
	// Dead are the rules with a condition that no action met, sorted.
	Dead []string
}

// Check holds a plan, in its published JSON form, against every rule. What a rule
// says that cannot be worked out counts as broken.
func (s *Set) Check(plan []byte) (*Report, error) {
	report := &Report{}
	if s.Len() == 0 {
		return report, nil
	}
	actions, whole, err := subjects(s.ctx, plan)
	if err != nil {
		return nil, err
	}
	for _, r := range s.rules {
		if err := s.checkOne(r, actions, whole, report); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(report.Failures, func(a, b Failure) int {
		fileA, lineA, columnA := place(a.Source)
		fileB, lineB, columnB := place(b.Source)
		return cmp.Or(cmp.Compare(fileA, fileB), cmp.Compare(lineA, lineB), cmp.Compare(columnA, columnB), cmp.Compare(a.Rule, b.Rule))
	})
	return report, nil
}

// checkOne holds a plan against one rule.
func (s *Set) checkOne(r *rule, actions []*subject, whole *subject, report *Report) error {
	add := func(f *Failure, err error) error {
		if f != nil {
			report.Failures = append(report.Failures, *f)
		}
		return err
	}
	matched := 0
	for _, a := range actions {
		if !r.action.Exists() {
			break
		}
		faults, about, err := s.concerns(r, a)
		if err == nil && about {
			matched++
			err = add(s.hold(r, r.action, a, faults))
		}
		if err != nil {
			return err
		}
	}
	if r.action.Exists() && matched == 0 {
		report.Dead = append(report.Dead, r.name)
	}
	if !r.plan.Exists() {
		return nil
	}
	return add(s.hold(r, r.plan, whole, nil))
}

// concerns says whether a rule is about an action. A condition that cannot be
// worked out does not let the action pass: the fault is returned.
func (s *Set) concerns(r *rule, a *subject) (faults [][]errors.Error, about bool, err error) {
	if !r.when.Exists() {
		return nil, true, nil
	}
	_, broken, err := r.when.against(a)
	for _, g := range grouped(broken) {
		if !slices.ContainsFunc(g, isFault) {
			return nil, false, err // whatever else there is, this does not fit
		}
		faults = append(faults, g)
	}
	return faults, true, err
}

// against holds a subject against the part. broken is what CUE says when it does
// not fit.
func (p part) against(about *subject) (v cue.Value, broken, err error) {
	if v, err = about.value(p); err != nil {
		return v, nil, err
	}
	return v, p.Unify(v).Validate(cue.Concrete(true)), nil
}

func isFault(e errors.Error) bool {
	format, _ := said(e)
	return !cueWords(format)
}

// hold judges a subject by one part of a rule, or tells the faults that kept it
// from being judged.
func (s *Set) hold(r *rule, p part, about *subject, faults [][]errors.Error) (*Failure, error) {
	prefix := "when."
	if len(faults) > 0 {
		p = r.when
	}
	got, broken, err := p.against(about)
	if broken == nil || err != nil {
		return nil, err
	}
	if len(faults) == 0 {
		prefix, faults = "", grouped(broken)
	}
	f := Failure{Rule: r.name, Message: r.message, Source: text(about.about, "source")}
	if id := text(about.about, "id"); id != "" {
		f.Action, f.Address, f.Change = id, text(about.about, "address"), change(about.about)
	}
	var texts []string
	var pos token.Pos
	for _, g := range faults {
		d := s.tree.detail(g, got)
		if !pos.IsValid() {
			pos = d.pos
		}
		if !pos.IsValid() {
			pos = s.tree.above(p.Value, inside(g[0].Path()))
		}
		if text := prefix + d.text; !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	if !pos.IsValid() {
		pos = r.pos
	}
	f.Detail = strings.Join(texts, "; ")
	f.Constraint = s.tree.at(pos)
	f.at = s.tree.problem(Kind, pos, "", "")
	return &f, nil
}

// above is where the deepest part of path stands in v.
func (t *tree) above(v cue.Value, path []string) token.Pos {
	for n := len(path); n >= 0; n-- {
		if at := lookup(v, path[:n]); at.Exists() && t.ours(at.Pos()) {
			return at.Pos()
		}
	}
	return token.NoPos
}

// place takes "fleet.cue:14:10" apart.
func place(source string) (file string, line, column int) {
	parts := strings.Split(source, ":")
	if n := len(parts); n > 2 {
		if _, err := fmt.Sscan(parts[n-2]+" "+parts[n-1], &line, &column); err == nil && line > 0 && column > 0 {
			return strings.Join(parts[:n-2], ":"), line, column
		}
	}
	return source, 0, 0
}
