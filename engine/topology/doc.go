// Package topology draws what a spec, a plan or a review is about: clusters,
// their groups and nodes before and after, and what waits for what.
//
// Place in the flow: beside render, which puts its pictures into pages. It is
// given values, and writes Graphviz's language (DOT) and SVG; it lays out by
// itself. The same value gives the same bytes. Names may hold anything: they
// never get out of the text that they are.
package topology
