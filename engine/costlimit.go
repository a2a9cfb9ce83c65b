package engine

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// GuardMaxCost is the guard's name in a plan.
const GuardMaxCost = "max-cost"

// CostLimit is the most that a plan may cost, in one currency and period. Where
// it names none, it is about the only sum that the plan has.
type CostLimit struct {
	text   string
	amount *big.Rat
	unit
}

// String is the limit as it was written.
func (l CostLimit) String() string { return l.text }

var costLimit = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?(\pL*)(?:/(\pL+))?$`)

// ParseCostLimit reads a limit: "300", "300CNY", "0.50CNY/hour".
func ParseCostLimit(text string) (CostLimit, error) {
	m := costLimit.FindStringSubmatch(text)
	if m == nil {
		return CostLimit{}, errors.New("write an amount from 0 up, and where it is needed the currency and the period: 300, 299.50CNY, 300CNY/month")
	}
	amount, _ := new(big.Rat).SetString(m[1]) // the pattern takes numbers only
	return CostLimit{text, amount, unit{strings.ToUpper(m[2]), strings.ToLower(m[3])}}, nil
}

// Unit is what the limit is about: "CNY/month"; empty: the only sum there is.
func (l CostLimit) Unit() string { return l.unit.String() }

// fits reports whether the limit may be about a sum, and how exactly it names it.
func (l CostLimit) fits(u unit) (exactly int, ok bool) {
	if l.currency != "" {
		exactly += 2
	}
	if l.per != "" {
		exactly++
	}
	return exactly, (l.currency == "" || strings.EqualFold(l.currency, u.currency)) && (l.per == "" || strings.EqualFold(l.per, u.per))
}

// limitOf picks the limit that names a sum most exactly, -1 for none.
func limitOf(limits []CostLimit, u unit) int {
	best, most := -1, -1
	for i, l := range limits {
		if exactly, ok := l.fits(u); ok && exactly > most {
			best, most = i, exactly
		}
	}
	return best
}

// overLimit refuses sums of actions that are above their limit, that no limit is
// about, or that one limit cannot tell apart.
func overLimit(actions []Action, limits []CostLimit) []Denied {
	sums, _ := Costs(actions)
	byLimit := make([][]provider.Price, len(limits))
	var denied []Denied
	for _, sum := range sums {
		i := limitOf(limits, unitOf(sum))
		switch {
		case i >= 0:
			byLimit[i] = append(byLimit[i], sum)
		case exact(sum.Amount).Sign() > 0:
			denied = append(denied, costDenied(actions, sum, fmt.Sprintf(
				"the plan costs %s, and no --max-cost is about that; add one in %s", amountWords(sum), unitOf(sum))))
		}
	}
	for i, l := range limits {
		switch of := byLimit[i]; {
		case len(of) > 1:
			var words, write []string
			for _, sum := range of {
				words = append(words, Money(sum, true))
				write = append(write, "--max-cost "+costLimit.FindStringSubmatch(l.text)[1]+unitOf(sum).String())
			}
			denied = append(denied, costDenied(actions, of[0], fmt.Sprintf("--max-cost %s could be about each of %d sums: %s; write one for each, such as %s",
				l, len(of), strings.Join(words, ", "), strings.Join(write, " "))))
		case len(of) == 1 && exact(of[0].Amount).Cmp(l.amount) > 0:
			denied = append(denied, costDenied(actions, of[0], fmt.Sprintf("the plan costs %s, more than --max-cost %s", amountWords(of[0]), l)))
		}
	}
	return denied
}

// costDenied puts what is to say about a sum to the action that costs most of
// it, which is where a person looks first.
func costDenied(actions []Action, sum provider.Price, reason string) Denied {
	var most *Action
	for i := range actions {
		a := &actions[i]
		if a.Cost != nil && unitOf(*a.Cost) == unitOf(sum) && (most == nil || a.Cost.Amount > most.Cost.Amount) {
			most = a
		}
	}
	if exact(most.Cost.Amount).Cmp(exact(sum.Amount)) != 0 {
		reason += "; the most of it here: " + Money(*most.Cost, false)
	}
	return Denied{Address: most.Address, Guard: GuardMaxCost, Reason: reason, Source: most.Source}
}

// limitCost holds a plan against limits. A price that could not be had may be
// any; one that the cloud does not tell is said to be missing in the sum.
func limitCost(actions []Action, failures []error, limits []CostLimit) (denied []Denied, warnings []string) {
	if len(limits) == 0 {
		return nil, nil
	}
	denied = overLimit(actions, limits)
	var without []string
	for i := range actions {
		a := &actions[i]
		switch {
		case a.Cost != nil:
		case failures[i] != nil:
			denied = append(denied, Denied{Address: a.Address, Guard: GuardMaxCost, Source: a.Source,
				Reason: fmt.Sprintf("its price is not known, so the plan may cost more than --max-cost: %v", failures[i])})
		default:
			without = append(without, a.Address)
		}
	}
	if n := len(without); n > 0 {
		if n > 3 {
			without = append(without[:3:3], fmt.Sprintf("and %d more", n-3))
		}
		warnings = append(warnings, fmt.Sprintf("--max-cost does not count %s, for which no cloud tells a price: %s", plural(n, "action"), strings.Join(without, ", ")))
	}
	return denied, warnings
}
