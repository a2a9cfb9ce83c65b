// Package rpc carries the provider contract across a process boundary, with
// hashicorp/go-plugin over gRPC. Both ends stand in this package, so that one
// round-trip test covers every conversion: Serve is a plugin's whole main, and
// Connect gives the host a provider.Provider that speaks to it. Package wire
// below it holds the messages.
//
// Place in the flow: engine/pluginhost starts a plugin process and calls
// Connect; the engine then observes, plans, starts and polls through the
// result as if the cloud's package were linked in. docs/protocol.md describes
// the same wire to authors in other languages.
package rpc
