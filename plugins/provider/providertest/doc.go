// Package providertest judges whether a provider keeps the contract of package
// provider, and has a fake to script one. Run is for a provider's own tests,
// Check for programs; both go through the same rules, each with an id, one
// sentence, and what it needs. A rule whose capability is not declared, or for
// which the author gave nothing to test with, is skipped and says so.
//
// Place in the flow: no part of a run of clusterctl. Every provider's tests
// call Run twice, in process and through rpctest.Connect, with a simulated
// cloud on loopback; "clusterctl plugin check" calls Check on a binary.
package providertest
