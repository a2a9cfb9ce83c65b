// Package cloudsim is what the three clouds' simulators share: the server that
// stands in front of a simulated cloud and injects faults, the audit log of
// every change, the stores of past states for stale reads, and the admin calls
// under /_sim/. The clouds themselves (paths, signatures, limits, jobs) are in
// <cloud>sim beside each plugin.
//
// Place in the flow: tests and cmd/cloudsim put a Server on loopback; the
// plugins cannot tell it from the cloud.
package cloudsim
