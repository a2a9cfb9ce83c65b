// Package schema turns the CUE files of a spec into the clusters it wants,
// checked against each cloud's documented limits, with the file, line and
// column of everything that is wrong. It reads files and nothing else: no
// cloud, no plugin process, no network.
//
// Place in the flow: spec (CUE) → desired. The command line calls Load and
// hands Fleet.Clusters to the engine, which sees JSON, positions and one
// table of field meanings per kind, but never CUE: this is the only package
// that imports it. The clouds' own definitions live in the packages below
// this one; plugins of others bring theirs in their description.
package schema
