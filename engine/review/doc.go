// Package review says what a change of a spec changes in clusters, offline:
// two revisions of the spec are compared cluster by cluster, each difference is
// led back to the line that causes it, and the providers say what their clouds'
// calls could do about it.
//
// Place in the flow: none of apply's. It is a plan in which the earlier
// revision stands for the live clusters, made before anybody merges.
package review
