package render

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Plan writes a plan as text: a block per cluster, then what is blocked, unread,
// unsettled or denied, then one summary line.
func Plan(w io.Writer, p *engine.Plan, look Look) error {
	out := &planText{Writer: bufio.NewWriter(w), Look: look, byID: map[string]*engine.Action{}}
	for i := range p.Actions {
		out.byID[p.Actions[i].ID] = &p.Actions[i]
	}
	for rest := p.Actions; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Cluster == rest[0].Cluster {
			n++
		}
		out.cluster(p, rest[:n])
		rest = rest[n:]
	}
	out.guards(p.Guards)
	out.notes(p)
	out.say(0, "%s", Summary(p))
	return out.Flush()
}

// say writes a line, broken to fit; what follows its first line is indented.
func (t *planText) say(indent int, format string, args ...any) {
	fmt.Fprintln(t, t.wrap(fmt.Sprintf(format, args...), indent))
}

type planText struct {
	*bufio.Writer
	Look
	byID map[string]*engine.Action
}

// line is one action in the words of a plan.
type line struct{ symbol, group, op, change, after string }

func (t *planText) cluster(p *engine.Plan, actions []engine.Action) {
	first := actions[0]
	id := Clean(first.ClusterID)
	if id == "" {
		id = "new"
	}
	fmt.Fprintf(t, "%s  %s/%s  %s\n", t.bold(Clean(first.Cluster)), first.Provider, first.Kind, t.dim(id))
	var lines []line
	var groups, ops, changes []string
	for i := range actions {
		l := t.line(&actions[i])
		lines = append(lines, l)
		groups, ops, changes = append(groups, l.group), append(ops, l.op), append(changes, l.change)
	}
	for i, l := range lines {
		a := &actions[i]
		body := fmt.Sprintf("%s  %s  %s", pad(l.group, column(groups...)), pad(l.op, column(ops...)), pad(l.change, column(changes...)))
		if a.Op == provider.OpCreate && len(actions) == 1 {
			body = l.op + "  " + l.change
		}
		indent := 6 + column(groups...)
		if l.group == "" {
			indent = 4 + width(l.op) + 2
		}
		t.say(indent, "  %s %s     %s%s", t.mark(l.symbol), body, t.dim(a.Source), l.after)
		for _, sentence := range []string{t.removal(a), Clean(a.Reason), Clean(a.Risk)} {
			if sentence == "" {
				continue
			}
			if a.Op == provider.OpScaleIn && sentence == t.removal(a) {
				sentence = t.red(sentence)
			}
			t.say(indent, "%s%s", strings.Repeat(" ", indent), sentence)
		}
	}
	fmt.Fprintln(t)
}

func (t *planText) mark(symbol string) string {
	switch symbol {
	case "+":
		return t.green(symbol)
	case "-":
		return t.red(symbol)
	}
	return t.yellow(symbol)
}

func (t *planText) line(a *engine.Action) line {
	l := line{symbol: "~", group: groupName(a), op: opName(a.Op), change: Change(a)}
	switch a.Op {
	case provider.OpCreate:
		l.symbol, l.group = "+", ""
	case provider.OpScaleIn:
		l.symbol = "-"
	}
	if a.Cost != nil {
		l.after = "     " + Price(*a.Cost)
	}
	if names := after(a, t.byID); names != "" {
		l.after += "   after " + names
	}
	return l
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func groupName(a *engine.Action) string { return Clean(a.Group) }

// opName is an op in words; of a record that cannot be read none is known.
func opName(op provider.Op) string {
	if op == provider.OpUnknown {
		return "request"
	}
	return strings.ReplaceAll(string(op), "_", " ")
}

// removal names the nodes that an action removes.
func (s Look) removal(a *engine.Action) string {
	if a.CloudChooses {
		return fmt.Sprintf("REMOVES %s; THE CLOUD CHOOSES WHICH", strings.ToUpper(plural(a.Removed(), "node")))
	}
	if len(a.Removes) == 0 {
		return ""
	}
	return "removes  " + s.nodes(a)
}

// nodes names the nodes that an action removes, with the day of their birth and
// their age.
func (s Look) nodes(a *engine.Action) string {
	var names []string
	for _, n := range a.Removes {
		name := Clean(or(n.Name, n.ID))
		if !n.Created.IsZero() {
			name += " (" + n.Created.UTC().Format("2006-01-02") + s.age(n.Created) + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// age is ", 12 days old"; nothing for what is younger than a day.
func (s Look) age(born time.Time) string {
	days := int(s.Now.Sub(born) / (24 * time.Hour))
	if s.Now.IsZero() || days < 1 {
		return ""
	}
	return ", " + plural(days, "day") + " old"
}

// Change words what an action does: "3 → 5 nodes", "2c/4G → 4c/12G", and
// "to 4c/12G" where what was before is not known.
func Change(a *engine.Action) string {
	switch a.Op {
	case provider.OpScaleOut, provider.OpScaleIn:
		return fmt.Sprintf("%d → %s", a.From["count"], plural(int(a.To["count"]), "node"))
	case provider.OpCreate:
		return created(a)
	}
	if len(a.From) == 0 {
		return "to " + size(a.To)
	}
	return size(a.From) + " → " + size(a.To)
}

// created lists the groups of a new cluster: "login 1 × 2c/4G".
func created(a *engine.Action) string {
	groups := map[string]map[string]int64{}
	for _, f := range a.Fields {
		rest, ok := strings.CutPrefix(f.Path, "node_groups.")
		role, name, nested := strings.Cut(rest, ".")
		n, number := f.After.(int64)
		if !ok || !nested || !number {
			continue
		}
		if groups[role] == nil {
			groups[role] = map[string]int64{}
		}
		groups[role][name] = n
	}
	var parts []string
	for _, role := range slices.Sorted(maps.Keys(groups)) {
		part := fmt.Sprintf("%s %d", Clean(role), groups[role]["count"])
		delete(groups[role], "count")
		if s := size(groups[role]); s != "" {
			part += " × " + s
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// size words the size of a node. cpu and memory (MB) go together, as clouds
// print them; storage is in GB.
func size(of map[string]int64) string {
	of = maps.Clone(of)
	var parts []string
	cpu, hasCPU := of["cpu"]
	memory, hasMemory := of["memory"]
	if hasCPU && hasMemory {
		parts = append(parts, fmt.Sprintf("%dc/%dG", cpu, memory/1024))
		delete(of, "cpu")
		delete(of, "memory")
	}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		text := fmt.Sprintf("%s %d", Clean(name), of[name])
		if name == "storage_size" {
			text += " GB"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// Price words a price: "+¥312.00 a month", "refund ¥12.00 a month".
func Price(p provider.Price) string { return Clean(engine.Money(p, false)) }
