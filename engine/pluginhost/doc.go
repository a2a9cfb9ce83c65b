// Package pluginhost finds, verifies, starts, supervises and stops plugin
// processes. A plugin runs with an environment of a few named variables, no
// stdin, its own process group and a private working directory; it dies with
// the host, also when the host is killed; and when it fails, the error says
// which plugin and call, whether anything was sent, how the process ended and
// what it said last.
//
// Place in the flow: a command finds one binary per "providers" entry in use,
// starts them together, hands each Plugin's Provider to the engine, and closes
// them at the end. The engine sees a provider.Provider and nothing of this
// package.
package pluginhost
