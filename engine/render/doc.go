// Package render writes plans, results and progress for people. What it is
// given is data; it decides nothing and reads nothing else.
//
// Place in the flow: the last step of every command. Removals and money come
// first, one summary line last, every change says why and from which line.
// Symbols carry the meaning (+ new, ~ changed, - removed, ! blocked); colour
// only repeats it.
package render
