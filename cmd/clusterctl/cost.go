package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
)

// costLimits are the values of --max-cost. The library would cut the values of
// a flag that it calls a list at commas: 1,000 would be the limits 1 and 0.
type costLimits []engine.CostLimit

// Set takes one value.
func (l *costLimits) Set(text string) error {
	limit, err := engine.ParseCostLimit(text)
	if err != nil {
		return err
	}
	for _, other := range *l {
		if other.Unit() == limit.Unit() {
			return fmt.Errorf("%s is about the same sum as %s", limit, other)
		}
	}
	*l = append(*l, limit)
	return nil
}

// String implements flag.Value.
func (l *costLimits) String() string {
	var texts []string
	for _, limit := range *l {
		texts = append(texts, limit.String())
	}
	return strings.Join(texts, " ")
}

func maxCostFlag() cli.Flag {
	return &cli.GenericFlag{Name: "max-cost", Value: &costLimits{},
		Usage: "deny a plan (exit 7) whose prices add up to more than `AMOUNT`: 300, 300CNY or 300CNY/month; repeatable"}
}

// aboutMaxCost is said in the help of the commands that take --max-cost.
const aboutMaxCost = "   --max-cost compares the plan's sum; with several currencies or periods, name them and give one limit for\n" +
	"   each (300CNY/month, 20CNY/once; 300CNY where the cloud names no period). A refund lowers its sum. A price\n" +
	"   that the cloud has and does not tell just now denies the plan; one that no cloud tells is warned about."

func maxCost(c *cli.Context) []engine.CostLimit {
	if limits, ok := c.Generic("max-cost").(*costLimits); ok {
		return *limits
	}
	return nil
}

// priceAgain asks what a saved plan costs by now, before anything is sent: the
// plan approves the prices that it names.
func (r *applyRun) priceAgain(s *session, plan *engine.Plan) error {
	again, err := r.applier(s, plan).AskCost(r.ctx, maxCost(r.Context))
	switch {
	case r.ctx.Err() != nil:
		return quietly(exitInterrupted)
	case err != nil:
		return exitf(exitStale, "nothing was sent:\n%v", err)
	}
	for _, note := range again.Notes {
		fmt.Fprintf(r.stderr, "warning: %s\n", note)
	}
	return r.refuse(&engine.Plan{Denied: again.Denied})
}
