// Command clusterctl plans and applies the topology of HPC, big-data and
// Kubernetes clusters that CUE specs describe.
//
// Each command is one file; the steps of plan and apply read like the flow in
// package engine. This package alone reads the environment, talks to the
// terminal and maps errors to exit codes.
package main

import (
	"os"
	"runtime/debug"
)

func main() {
	// A panic of ours must end with SIGABRT (exit 134), never with 2, which
	// means that changes are pending.
	debug.SetTraceback("crash")
	os.Exit(run(os.Args, taps{}))
}
