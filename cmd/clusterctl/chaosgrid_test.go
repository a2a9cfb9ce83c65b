//go:build linux

package main

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// combos are scenario × fault, each with one way to apply: all of them, or a
// few that differ in everything where few runs are wanted.
func combos(want int) []*chaosRun {
	var all []*chaosRun
	list := scenarios()
	for i, s := range list {
		for k, fault := range chaosFaults {
			all = append(all, &chaosRun{scenario: s, fault: fault, mode: chaosModes[(i+k)%len(chaosModes)]})
		}
	}
	n := want / perCombo
	if want < 0 || n >= len(all) {
		return all
	}
	var few []*chaosRun
	for i := range max(n, 1) {
		few = append(few, all[(5+3*i)%len(list)*len(chaosFaults)+(2+5*i)%len(chaosFaults)])
	}
	return few
}

// grid is every point that the recordings came to, with everybody who can die
// there. Every fifth run is killed once more.
func grid(recordings []*chaosRun) []*chaosRun {
	var runs []*chaosRun
	for _, rec := range recordings {
		for i, stop := range rec.placesToStop() {
			if len(rec.scenario.goals) > 2 && i%4 != 0 {
				continue // a fleet comes to all points of all its clusters, at four times the cost
			}
			r := &chaosRun{scenario: rec.scenario, fault: rec.fault, mode: rec.mode, at: stop.name, victim: stop.victim}
			if sum := fnv.New32a(); len(runs)%5 == 0 {
				fmt.Fprint(sum, r.id())
				r.again = fmt.Sprintf("#%d", 1+sum.Sum32()%25)
			}
			runs = append(runs, r)
		}
	}
	return runs
}

// spread takes n of the runs at equal distances, a quarter of them from those in
// which a plugin dies.
func spread(runs []*chaosRun, n int) []*chaosRun {
	if n >= len(runs) {
		return runs
	}
	byVictim := map[string][]*chaosRun{}
	for _, r := range runs {
		byVictim[r.victim] = append(byVictim[r.victim], r)
	}
	plugins := min(n/4, len(byVictim[killPlugin]))
	return append(evenly(byVictim[killSelf], n-plugins), evenly(byVictim[killPlugin], plugins)...)
}

func evenly(runs []*chaosRun, n int) []*chaosRun {
	var few []*chaosRun
	for i := range n {
		few = append(few, runs[(2*i+1)*len(runs)/(2*n)])
	}
	return few
}

// chaosByID makes the run that id names.
func chaosByID(id string) (*chaosRun, error) {
	parts := strings.Split(id, "/")
	list := scenarios()
	if len(parts) < 3 || len(parts) == 4 || len(parts) > 6 {
		return nil, fmt.Errorf("%q is no run: SCENARIO/FAULT/MODE[/POINT/VICTIM[/#N]]", id)
	}
	i := slices.IndexFunc(list, func(s scenario) bool { return s.name == parts[0] })
	k := slices.IndexFunc(chaosFaults, func(f chaosFault) bool { return f.name == parts[1] })
	if i < 0 || k < 0 || !slices.Contains(chaosModes, parts[2]) {
		return nil, fmt.Errorf("%q: no such scenario, fault or mode", id)
	}
	parts = append(parts, "", "", "")
	return &chaosRun{scenario: list[i], fault: chaosFaults[k], mode: parts[2], at: parts[3], victim: parts[4], again: parts[5]}, nil
}

// placesToStop lists the points of a recording where a run may stop. A watch
// comes to the same points many times; of those the first few are taken, and
// then fewer and fewer.
func (r *chaosRun) placesToStop() []stopAt {
	var list []stopAt
	for _, name := range r.points {
		n, err := strconv.Atoi(name[strings.LastIndexByte(name, ':')+1:])
		if err != nil || n > 3 && n&(n-1) != 0 {
			continue
		}
		list = append(list, stopAt{name, killSelf})
		if !strings.HasPrefix(name, "disk-") {
			list = append(list, stopAt{name, killPlugin})
		}
	}
	return list
}

// stopAt is a point and who dies there.
type stopAt struct{ name, victim string }
