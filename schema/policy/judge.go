package policy

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

	"github.com/clusterctl/clusterctl/schema"
)

// The parts of a rule.
const (
	partMessage = "message"
	partWhen    = "when"
	partAction  = "action"
	partPlan    = "plan"
)

// judgment is the policies on their way through Load.
type judgment struct {
	*Set
	defs     map[string]cue.Value // what each part is held against
	known    map[string]*names    // and may name
	problems []schema.Problem
}

// judge turns the evaluated package into rules and tells what is wrong with it.
func (s *Set) judge(pkg cue.Value, sources []schema.Source) []schema.Problem {
	j := &judgment{Set: s}
	if err := j.define(sources); err != nil {
		return []schema.Problem{{Severity: schema.Error, Kind: schema.KindProvider, Message: err.Error()}}
	}
	top, err := pkg.Fields(cue.Optional(true))
	for err == nil && top.Next() {
		name, v := nameOf(top.Selector()), top.Value()
		switch {
		case name != "rules":
			hint := (&names{of: map[string]*names{"rules": {}}}).didYouMean(name)
			if !strings.HasPrefix(hint, "did") {
				hint = "rules stand under rules; what they share is a definition (#" + name + ") or a hidden field (_" + name + ")"
			}
			j.tell(schema.KindUnknownField, v.Pos(), fmt.Sprintf("%q is not a top-level field of policies", name), hint)
		case top.IsOptional():
			j.tell(schema.KindSyntax, v.Pos(), "rules are marked with ?, so they never hold", "take the mark away")
		default:
			j.all(v)
		}
	}
	// Templates for rules are none.
	if len(j.rules) == 0 && len(j.problems) == 0 {
		j.tell(schema.KindMissingField, token.NoPos, fmt.Sprintf("the policies in %s have no rules", s.tree.rel(s.tree.dir)), "a rule stands under rules, by its name")
	}
	slices.SortFunc(j.rules, func(a, b *rule) int { return strings.Compare(a.name, b.name) })
	return j.problems
}

// define compiles the definition of policies.
func (j *judgment) define(sources []schema.Source) error {
	def := j.ctx.CompileBytes(definition, cue.Filename(definitionFile))
	if err := def.Err(); err != nil {
		return err
	}
	action, plan := def.LookupPath(cue.MakePath(cue.Def("Action"))), def.LookupPath(cue.MakePath(cue.Def("Plan")))
	ofAction, ofPlan := namesOf(action), namesOf(plan)
	cluster, entry, err := wishes(sources)
	if err != nil {
		return err
	}
	for _, n := range []*names{ofAction, ofPlan.of["actions"].elem} {
		n.of["desired"], n.of["settings"] = cluster, entry
		if groups := cluster.of["node_groups"]; groups != nil {
			sizes := groups.under(func(string) bool { return true })
			n.of["from"], n.of["to"] = sizes, sizes
		}
	}
	j.defs = map[string]cue.Value{partWhen: action, partAction: action, partPlan: plan}
	j.known = map[string]*names{partWhen: ofAction, partAction: ofAction, partPlan: ofPlan}
	return nil
}

func (j *judgment) tell(kind string, pos token.Pos, message, hint string) {
	j.problems = append(j.problems, j.tree.problem(kind, pos, message, hint))
}

// all judges every rule.
func (j *judgment) all(rules cue.Value) {
	if kind := rules.IncompleteKind(); kind != cue.StructKind && kind != cue.BottomKind {
		j.tell(schema.KindLimit, rules.Pos(), "rules must be a struct with a field for each rule, not "+describe(rules), "")
		return
	}
	it, err := rules.Fields(cue.Optional(true))
	if err != nil {
		j.explain(rules.Validate(), "")
		return
	}
	for it.Next() {
		name, v := nameOf(it.Selector()), it.Value()
		if it.IsOptional() || it.Selector().ConstraintType() == cue.RequiredConstraint {
			j.tell(schema.KindSyntax, v.Pos(), fmt.Sprintf("rule %s is marked with ? or !, so it never holds", name), "take the mark away")
			continue
		}
		j.one(name, v)
	}
}

// one judges one rule.
func (j *judgment) one(name string, v cue.Value) {
	before := len(j.problems)
	if kind := v.IncompleteKind(); kind != cue.StructKind && kind != cue.BottomKind {
		j.tell(schema.KindLimit, v.Pos(), fmt.Sprintf("rule %s must be a struct, not %s", name, describe(v)), "")
		return
	}
	it, err := v.Fields(cue.Optional(true))
	if err != nil {
		j.explain(v.Validate(), name)
		return
	}
	r := &rule{name: name, pos: v.Pos()}
	stated := map[string]bool{}
	for it.Next() {
		label, value := nameOf(it.Selector()), it.Value()
		place := map[string]*part{partWhen: &r.when, partAction: &r.action, partPlan: &r.plan}[label]
		stated[label] = true
		switch {
		case place == nil && label != partMessage:
			ofRule := &names{of: map[string]*names{partMessage: {}, partWhen: {}, partAction: {}, partPlan: {}}}
			j.tell(schema.KindUnknownField, value.Pos(), fmt.Sprintf("%q is not a field of rule %s", label, name), ofRule.didYouMean(label))
		case it.IsOptional() || it.Selector().ConstraintType() == cue.RequiredConstraint:
			j.tell(schema.KindSyntax, value.Pos(), fmt.Sprintf("%s of rule %s is marked with ? or !, so it says nothing", label, name), "take the mark away")
		case label == partMessage:
			r.message = j.message(name, value)
		default:
			*place = j.tree.partOf(value)
			j.part(name, label, value)
		}
	}
	switch {
	case stated[partAction] || stated[partPlan]:
		if stated[partWhen] && !stated[partAction] && len(j.problems) == before {
			j.tell(schema.KindConflict, r.when.Pos(), fmt.Sprintf("rule %s has a when without an action", name), "when says which actions must be as action says; it has no effect on plan")
		}
	case len(j.problems) == before:
		j.tell(schema.KindMissingField, v.Pos(), fmt.Sprintf("rule %s has no constraint", name), "say what must hold, under action or plan")
	}
	j.rules = append(j.rules, r)
}

// message reads what a rule says to people.
func (j *judgment) message(name string, v cue.Value) string {
	text, err := v.String()
	switch {
	case err != nil && v.Validate() != nil:
		j.explain(v.Validate(), name)
	case err != nil:
		j.tell(schema.KindLimit, v.Pos(), fmt.Sprintf("message of rule %s must be a plain text, not %s", name, describe(v)),
			`a text with values of the action stands at a constraint: added: <=20 | error("… not \(added)")`)
	case strings.TrimSpace(text) == "":
		j.tell(schema.KindLimit, v.Pos(), fmt.Sprintf("message of rule %s is empty", name), "leave it out, or say what the rule is for")
	}
	return text
}

// part judges when, action or plan of a rule.
func (j *judgment) part(name, part string, v cue.Value) {
	if denies(j.tree, v.Err()) {
		return // whatever it is about is denied
	}
	if kind := v.IncompleteKind(); kind != cue.StructKind && kind != cue.BottomKind {
		j.tell(schema.KindLimit, v.Pos(), fmt.Sprintf("%s of rule %s must be a struct, not %s", part, name, describe(v)), "")
		return
	}
	before := len(j.problems)
	j.walk(v, j.known[part], []string{part})
	if len(j.problems) > before {
		return
	}
	if isEmpty(v) {
		j.tell(schema.KindMissingField, v.Pos(), fmt.Sprintf("%s of rule %s is empty", part, name), "say what must hold, or leave it out")
		return
	}
	err := v.Validate()
	if err == nil || denies(j.tree, err) {
		err = v.Unify(j.defs[part]).Validate()
	}
	j.explain(err, name)
}

// denies says whether err is nothing but the policies' own error(…).
func denies(t *tree, err error) bool {
	for _, e := range errors.Errors(err) {
		if !t.worded(e) {
			return false
		}
	}
	return err != nil
}

// isEmpty reports a struct that says nothing.
func isEmpty(v cue.Value) bool {
	if op, _ := v.Expr(); op != cue.NoOp && op != cue.AndOp {
		return false
	}
	it, err := v.Fields(cue.Optional(true), cue.Patterns(true))
	return err == nil && v.Err() == nil && !it.Next()
}
