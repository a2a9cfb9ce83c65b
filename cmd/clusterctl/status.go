package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

func (sh *shell) statusCommand() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show wanted beside live, group by group", ArgsUsage: "[DIR]",
		Flags:  append(targetFlags(), pluginDirFlag(), storeFlag(), formatFlag("text or json")),
		Action: sh.status,
	}
}

// statusRow is one group of one cluster.
type statusRow struct {
	Cluster string `json:"cluster"`
	Kind    string `json:"kind"`
	State   string `json:"state"`
	Group   string `json:"group,omitempty"`
	Wanted  *int64 `json:"wanted,omitempty"` // nil: not managed, or in a range
	// Range is where the count may be.
	Range *engine.Band `json:"range,omitempty"`
	Live  *int         `json:"live,omitempty"`
	Note  string       `json:"note,omitempty"`
}

func (sh *shell) status(c *cli.Context) error {
	format, err := oneOf(c, "format", "text", "json")
	if err != nil {
		return err
	}
	ctx, stop := sh.interruptible(c.Context)
	defer stop()
	now, err := sh.survey(ctx, c, choose)
	if err != nil {
		return err
	}
	var rows []statusRow
	notes := notesOf(now.plan)
	for _, cl := range now.clusters {
		rows = append(rows, statusRows(cl, now.seen[cl.Address], notes)...)
	}
	if format == "json" {
		err = sh.printJSON(rows)
	} else {
		err = sh.statusTable(rows)
	}
	if err != nil {
		return err
	}
	return quietly(planCode(now.plan, false))
}

// notesOf says in a few words, by address, what the plan has to say.
func notesOf(plan *engine.Plan) map[string]string {
	notes := map[string]string{}
	add := func(address, note string) {
		if notes[address] != "" {
			note = notes[address] + "; " + note
		}
		notes[address] = note
	}
	for i := range plan.Actions {
		a := &plan.Actions[i]
		switch a.Op {
		case provider.OpScaleIn:
			add(a.Address, fmt.Sprintf("%d to remove", a.Removed()))
		case provider.OpScaleOut:
			add(a.Address, fmt.Sprintf("%d to add", a.To["count"]-a.From["count"]))
		case provider.OpCreate:
			add(a.Address, "to be created")
		default:
			add(a.Address, strings.ReplaceAll(string(a.Op), "_", " ")+" "+render.Change(a))
		}
	}
	for _, b := range plan.Blocked {
		add(b.Address, "blocked: "+b.Reason)
	}
	for _, o := range plan.Owned {
		add(o.Address, render.OwnedText(o))
	}
	for _, u := range plan.Unread {
		add(u.Address, "not read: "+u.Reason)
	}
	for _, o := range plan.OpenIntents {
		note := strings.ReplaceAll(string(o.Op), "_", " ") + " is unsettled since " + o.Since.UTC().Format("2006-01-02 15:04:05Z")
		if o.Since.IsZero() {
			note = o.Reason
		}
		note += " (" + render.ResolveCommand(o.Address) + ")"
		add(o.Address, note)
	}
	return notes
}

func statusRows(cl *engine.Cluster, o provider.Observation, notes map[string]string) []statusRow {
	var spec struct {
		Groups map[string]struct {
			Count *int64 `json:"count"`
		} `json:"node_groups"`
	}
	_ = json.Unmarshal(cl.Spec, &spec) // the loader wrote it
	live := map[string]int{}
	state := "-"
	switch {
	case o.Cluster != nil:
		state = o.Cluster.StatusText
		if state == "" {
			state = string(o.Cluster.Status)
		}
		for _, g := range o.Cluster.Groups {
			live[g.Role] = g.Count
		}
	case o.Presence == provider.Absent:
		state = "absent"
	}
	roles := map[string]bool{}
	for role := range spec.Groups {
		roles[role] = true
	}
	for role := range live {
		roles[role] = true
	}
	var rows []statusRow
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		row := statusRow{Cluster: cl.Address, Kind: cl.Entry + "/" + cl.Kind, State: state, Group: role, Wanted: spec.Groups[role].Count,
			Range: cl.Rules.Groups[role].Count, Note: notes[engine.Address(cl.Address, role)]}
		if n, ok := live[role]; ok {
			row.Live = &n
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		rows = []statusRow{{Cluster: cl.Address, Kind: cl.Entry + "/" + cl.Kind, State: state}}
	}
	if note := notes[cl.Address]; note != "" {
		rows[0].Note = strings.TrimPrefix(rows[0].Note+"; "+note, "; ")
	}
	return rows
}

func (sh *shell) statusTable(rows []statusRow) error {
	table := [][]string{{"CLUSTER", "KIND", "STATE", "GROUP", "WANTED", "LIVE", "NOTE"}}
	previous := ""
	for _, r := range rows {
		cells := []string{r.Cluster, r.Kind, r.State, r.Group, "-", "-", r.Note}
		if r.Cluster == previous {
			cells[0], cells[1], cells[2] = "", "", ""
		}
		previous = r.Cluster
		if r.Wanted != nil {
			cells[4] = strconv.FormatInt(*r.Wanted, 10)
		}
		if r.Range != nil {
			cells[4] = r.Range.String()
		}
		if r.Live != nil {
			cells[5] = strconv.Itoa(*r.Live)
		}
		table = append(table, cells)
	}
	return render.TableWithout(sh.stdout, table, sh.look(sh.stdout), "KIND", "STATE")
}
