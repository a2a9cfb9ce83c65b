// Package policy holds plans against the policies of a team: CUE files that say
// what an action, or a plan as a whole, may be. Policies are judged when they are
// read, so that a slip of the pen in a rule is an error and not a rule that never
// matches or never fails.
//
// Place in the flow: between plan and actions. The command line reads the
// policies beside a spec with Load, and asks Set.Check about the JSON of a plan
// before it is sealed, and of a saved one before anything is sent. The package
// reads files and nothing else, and knows plans only by their published form.
package policy
