// Package teeth plants bugs in the product's source, one at a time, and demands
// that a test sees each. It is test code only: go test ./engine/teeth -run
// TestTeeth -plant [-report FILE].
//
// Place in the flow: it stands outside. No file of the tree is touched: go test
// -overlay compiles a copy of one source file in which one small text is
// replaced by another. What is planted is what would break "at most once": a
// baseline left out, an fsync dropped, an unknown answer sent again, a lock given
// back early, a wrong group. engine/simulation plants others, around the engine.
package teeth
