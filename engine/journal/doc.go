// Package journal keeps what cannot be read back from a cloud: requests whose
// effect is not settled (one Intent each), the history of settled ones, and
// the locks that let one run at a time change a cluster.
//
// Place in the flow: apply locks a cluster, puts an intent before each send,
// adds the answer after it, and closes it with a verdict. Every later run reads
// the open intents first. Live state is the truth for everything else; there
// is no state file.
package journal
