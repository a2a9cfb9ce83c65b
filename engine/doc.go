// Package engine turns desired and observed clusters into a plan and carries
// it out. Values go in, values come out; it knows no CUE, no transport and no
// cloud. The flow, and where each step lives:
//
//	desired      cluster.go   what the spec wants, as plain values
//	observed     observe.go   live state through the providers; sound.go doubts it
//	diff         diff.go      which leaves differ, and what each means; covers.go asks whether any does
//	plan         plan.go      the plan as data; planner.go makes it, guard.go judges it
//	actions      coverage.go  what providers planned is checked, never trusted
//	operations   apply.go     all clusters side by side; clusterrun.go one of them:
//	             locks.go, baseline.go (read, stale check), send.go (intent, one send)
//	verdicts     settle.go    late reads until the effect is known; verdict.go decides
//	observed     verify.go    the cluster must match again, or the result says what differs
//
// Up to and including the plan everything is a value that can be printed,
// hashed and compared; only apply changes anything. The journal is package
// journal, what people see is package render.
package engine
