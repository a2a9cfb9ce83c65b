//go:build linux

package main

import (
	"regexp"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// chaosFault is what a cloud does beside the kill.
type chaosFault struct {
	name  string
	fault *cloudsim.Fault // nil: nothing
}

var chaosFaults = []chaosFault{
	{"none", nil},
	{"drop_before", &cloudsim.Fault{Kind: cloudsim.DropBefore}},
	{"drop_after", &cloudsim.Fault{Kind: cloudsim.DropAfter}},
	{"hold_short", &cloudsim.Fault{Kind: cloudsim.Hold, Delay: 500 * time.Millisecond}},
	// The cloud then finds the signature too old.
	{"hold_long", &cloudsim.Fault{Kind: cloudsim.Hold, Delay: chaosWindow + time.Second}},
	{"error_before", &cloudsim.Fault{Kind: cloudsim.ErrorBefore}},
	{"error_after", &cloudsim.Fault{Kind: cloudsim.ErrorAfter}},
	{"throttle", &cloudsim.Fault{Kind: cloudsim.Throttle}},
	{"garbage", &cloudsim.Fault{Kind: cloudsim.Garbage}},
	// Every read is as old as the plugin says that reads may be.
	{"stale", &cloudsim.Fault{Kind: cloudsim.Stale, Delay: chaosLag - 10*time.Millisecond, Times: -1}},
	{"job_fails", &cloudsim.Fault{Kind: cloudsim.JobFails}},
	{"job_partial", &cloudsim.Fault{Kind: cloudsim.JobPartial}},
	{"slow", &cloudsim.Fault{Kind: cloudsim.Slow, Delay: 400 * time.Millisecond}},
}

// namedStop is where re-runs may end other than with "no changes": the cloud
// left something that no call of it can mend, and the text says so.
var namedStop = map[string]*regexp.Regexp{
	"ehpc-create/job_partial":       regexp.MustCompile(`simulation/compute .*blocked: 0 compute nodes live, 2 wanted`),
	"fleet/job_partial":             regexp.MustCompile(`simulation/compute .*blocked: 0 compute nodes live, 2 wanted`),
	"mrs-task-in-named/job_partial": regexp.MustCompile(`analytics/task .*blocked: the number of hosts in server_ids is 2, that of Task nodes to remove is 1`),
}

// wastes reports that the job of a request with this fault leaves something to
// do, so that one more request is right.
func wastes(fault string) bool {
	return fault == cloudsim.JobFails || fault == cloudsim.JobPartial
}
