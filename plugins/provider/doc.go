// Package provider is the contract between clusterctl and the plugins that
// speak to one cloud each. It declares the model, the seven methods, the error
// kinds and the few pieces every author would otherwise write again (an HTTP
// exchange that knows whether anything was sent, retries that never repeat an
// ambiguous change). It imports the standard library only, so that an author
// compiles neither the engine nor CUE nor a transport.
//
// Place in the flow: the engine reads clusters through Observe, diffs them
// against the spec, asks Plan for actions, sends each action's request once
// through Start and follows it through Poll. Package rpc carries the same
// contract across a process boundary; package providertest judges whether an
// implementation keeps it.
package provider
