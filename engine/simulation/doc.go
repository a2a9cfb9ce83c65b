// Package simulation runs the whole engine on a fake clock, disk, network and
// cloud, in one process and from one seed, and judges what the cloud saw. It
// is test code only: go test ./engine/simulation -run TestSimulation -seeds N
// -first S, with -show for whole traces and -stop to stop at the first violation.
//
// Place in the flow: it stands outside. The engine's planner and applier call
// a journal.Store and a provider.Provider that live here. Every call parks at a
// gate; one scheduler waits until all goroutines are parked or asleep and then
// lets exactly one go on, drawn from the seed, or lets time pass. So the seed
// decides every interleaving, and the same seed gives the same trace.
//
// What the model takes for granted, as the design does: the cloud refuses a
// request whose signature is older than its documented window, refuses a
// signed request that arrives a second time (its nonce was seen; without such a
// check nobody could prevent a second effect), takes one change per cluster at
// a time, and shows every change after read_lag at the latest. Not in the model:
// two stores at once, a host clock that jumps, locks that a file system loses,
// a limit on parallel calls (its queue is the Go scheduler's, not the seed's).
//
// Nodes bought equal nodes planned because each half is judged apart: what is
// sent is the plan's action and number, each approved action acts once, and the
// verdict that a run reports is what the cloud did. The rules stand in
// audit_test.go with what the design permits; TestTeeth shows that each bites,
// and engine/teeth plays the seeds on an engine with bugs in its source. TestNaive
// plays them with the obvious engine and shrinks one of its double buys.
package simulation
