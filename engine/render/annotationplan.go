package render

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// PlanAnnotations are what a plan says about lines of the spec: what stops it
// first, then what takes away, then the rest. What one line does is told
// together, however many clusters it changes.
func PlanAnnotations(p *engine.Plan) []Annotation {
	var all remarks
	for _, d := range p.Denied {
		all.add(remark{rule: RuleDenied, source: d.Source, address: d.Address, title: "denied by guard " + d.Guard,
			text: "denied by guard " + d.Guard + ": " + d.Reason})
	}
	for _, b := range p.Blocked {
		all.add(remarkBlocked(b))
	}
	for _, o := range p.OpenIntents {
		text := opName(o.Op)
		if !o.Since.IsZero() {
			text += " since " + stamp(o.Since)
		}
		all.add(remark{rule: RuleUnsettled, source: sourceAt(p, o.Address), address: o.Address, title: "an earlier request is not settled",
			text: text + ": " + o.Reason + "; see " + ResolveCommand(o.Address)})
	}
	for _, u := range p.Unread {
		all.add(remarkUnread(u))
	}
	for i := range p.Actions {
		if a := &p.Actions[i]; a.Op == provider.OpScaleIn {
			all.add(remark{rule: RuleRemoval, source: a.Source, address: a.Address, nodes: a.Removed(), text: actionText(a)})
		}
	}
	for i := range p.Actions {
		if a := &p.Actions[i]; shrinks(a) {
			all.add(remark{rule: RuleShrink, source: a.Source, address: a.Address, title: "made smaller", text: actionText(a)})
		}
	}
	for _, g := range p.Guards {
		r := remark{rule: RuleGuard, source: g.Source, address: g.Address, title: "new guard " + g.Guard, text: "guard " + g.Guard + " is new"}
		if g.Change == engine.GuardLift {
			r.rule, r.title, r.text = RuleLifted, "guard "+g.Guard+" lifted", "guard "+g.Guard+" is lifted"
		}
		all.add(r)
	}
	for _, w := range p.Warnings {
		all.add(remark{rule: RuleNote, title: "note", text: w})
	}
	for i := range p.Actions {
		if a := &p.Actions[i]; a.Op != provider.OpScaleIn && !shrinks(a) {
			all.add(remark{rule: RuleChange, source: a.Source, address: a.Address, title: opName(a.Op), text: actionText(a)})
		}
	}
	for _, o := range p.Owned {
		all.add(remark{rule: RuleOwned, source: o.Source, address: o.Address, title: "kept by " + o.Owner,
			text: fmt.Sprintf("%s: %v wanted, %v live; kept by %s", o.Field.Path, o.Field.After, o.Field.Before, o.Owner)})
	}
	return all.annotations()
}

func remarkBlocked(b engine.Blocked) remark {
	return remark{rule: RuleBlocked, source: b.Source, address: b.Address, title: "blocked", text: "blocked: " + b.Reason}
}

// remarkUnread: a cloud that is out of reach is one fault, wherever its clusters
// stand.
func remarkUnread(u engine.Unread) remark {
	text := "not read: " + u.Reason
	if hint := advice(u); hint != "" {
		text += "; " + hint
	}
	return remark{rule: RuleUnread, source: u.Source, address: u.Address, title: "not read", text: text, together: u.Provider + "\x00" + u.Reason}
}

// actionText is one action in a sentence.
func actionText(a *engine.Action) string {
	parts := []string{opName(a.Op) + " " + Change(a)}
	switch {
	case a.CloudChooses:
		parts = append(parts, "the cloud chooses which nodes go")
	case len(a.Removes) > 0:
		var names []string
		for _, n := range a.Removes {
			names = append(names, or(n.Name, n.ID))
		}
		parts = append(parts, "removes "+firstOf(names))
	}
	if a.Cost != nil {
		parts = append(parts, Price(*a.Cost))
	}
	for _, sentence := range []string{a.Risk, a.Reason} {
		if sentence != "" {
			parts = append(parts, sentence)
		}
	}
	return strings.Join(parts, "; ")
}

// sourceAt is a line of the plan that is about a cluster; empty when none is.
func sourceAt(p *engine.Plan, address string) string {
	cluster, _, _ := strings.Cut(address, "/")
	for i := range p.Clusters {
		if p.Clusters[i].Address == cluster {
			return p.Clusters[i].Sources[""]
		}
	}
	return ""
}

// remark is one thing to say about a line. Those of one rule and line are told
// together.
type remark struct {
	rule, source, address string
	title, text           string
	nodes                 int    // removed
	together              string // instead of the line, what makes several remarks one
}

// remarks gathers what is said about each line.
type remarks struct {
	order []string
	byKey map[string][]remark
}

func (r *remarks) add(one remark) {
	key := one.rule + "\x00" + or(one.together, one.source)
	if one.source == "" && one.together == "" {
		key += "\x00" + one.address + "\x00" + one.text // belongs to nothing else
	}
	if r.byKey == nil {
		r.byKey = map[string][]remark{}
	}
	if r.byKey[key] == nil {
		r.order = append(r.order, key)
	}
	r.byKey[key] = append(r.byKey[key], one)
}

func (r *remarks) annotations() []Annotation {
	var all []Annotation
	for _, key := range r.order {
		all = append(all, annotationOfAll(r.byKey[key]))
	}
	return all
}

// annotationOfAll says what a line does to one cluster or many; what is the
// same for several of them is said once.
func annotationOfAll(list []remark) Annotation {
	first := list[0]
	a := Annotation{Level: levels[first.rule], Rule: first.rule, Title: first.title}
	a.File, a.Line, a.Column = positionOf(first.source)
	var addresses, texts []string
	byText := map[string][]string{}
	nodes := 0
	for _, one := range list {
		nodes += one.nodes
		addresses = append(addresses, one.address)
		if byText[one.text] == nil {
			texts = append(texts, one.text)
		}
		byText[one.text] = append(byText[one.text], one.address)
		if one.title != first.title {
			a.Title = ""
		}
	}
	if first.rule == RuleRemoval {
		a.Title = plural(nodes, "node") + " removed"
	}
	if a.Title == "" {
		a.Title = map[string]string{RuleDenied: "denied by guards", RuleChange: "changes"}[first.rule]
	}
	if first.address != "" {
		a.Title = strings.TrimPrefix(a.Title+": "+firstOf(addresses), ": ")
	}
	var lines []string
	for i, text := range texts {
		if i == linesTold {
			lines = append(lines, andMore(len(texts)-i))
			break
		}
		if who := byText[text]; who[0] != "" {
			text = firstOf(who) + ": " + text
		}
		lines = append(lines, text)
	}
	a.Message = strings.Join(lines, "\n")
	// The first of a line names it: others come and go with the number of
	// clusters. A note has nothing but its words.
	a.Subject = first.address
	if first.address == "" {
		a.Subject = first.text
	}
	return a
}

// linesTold is how many things of a kind are told of one line.
const linesTold = 10

// levels say how loud each rule of a plan or a result is.
var levels = map[string]Level{
	RuleDenied: LevelError, RuleBlocked: LevelError, RuleUnsettled: LevelError, RuleUnread: LevelError, RuleStopped: LevelError,
	RuleShort: LevelError, RuleUndone: LevelError, RuleUnsent: LevelError, RuleDiffers: LevelError,
	RuleRemoval: LevelWarning, RuleShrink: LevelWarning, RuleLifted: LevelWarning, RuleNote: LevelWarning, RuleForeign: LevelWarning,
	RuleChange: LevelNotice, RuleGuard: LevelNotice, RuleOwned: LevelNotice,
}

var position = regexp.MustCompile(`^(.+?):([0-9]+)(?::([0-9]+))?$`)

// positionOf takes a source apart: "fleet.cue:14:10".
func positionOf(source string) (file string, line, column int) {
	m := position.FindStringSubmatch(source)
	if m == nil {
		return source, 0, 0
	}
	line, _ = strconv.Atoi(m[2]) // too large a number is no line
	column, _ = strconv.Atoi(m[3])
	return m[1], line, column
}
