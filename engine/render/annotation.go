package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/clusterctl/clusterctl/engine/review"
)

// Level is how loud an Annotation is.
type Level string

// The levels, loudest first.
const (
	LevelError   Level = "error"   // cannot be applied
	LevelWarning Level = "warning" // takes nodes away, or somebody should look
	LevelNotice  Level = "notice"  // for information
)

// Annotation is something to say about a line of the spec: a problem, or what a
// change of it does. Forges show it beside that line.
type Annotation struct {
	Level Level
	// Rule is the kind of what is said; Rules and the kinds of problems are
	// few and stable.
	Rule    string
	Title   string
	Message string // may have several lines
	// File is relative to the root of the repository. Line and the columns
	// count from 1, columns in characters; 0: not known.
	File                    string
	Line, Column, EndColumn int
	// InBase: the line is one of the base, which the head does not have.
	InBase bool
	// Subject tells annotations of one rule and file apart, whatever line they
	// move to.
	Subject string
}

// The rules of a review.
const (
	RuleDenied    = "denied"       // a guard does not let it pass
	RuleBlocked   = "blocked"      // no call of the cloud can do it
	RuleRemoval   = "removal"      // takes nodes away
	RuleIdentity  = "identity"     // another cluster or account is meant
	RuleChange    = "change"       // changes clusters in place, or what is compared
	RuleUnmanaged = "unmanaged"    // a cluster is no longer managed
	RuleRenamed   = "renamed"      // the same cluster under another key
	RuleAdded     = "added"        // a cluster is managed from now on
	RuleUnknown   = "incomparable" // the base says nothing sound of a cluster
)

// What a plan and an apply have beside denied, blocked, removal and change.
const (
	RuleUnread    = "unread"    // nothing is known of a cluster
	RuleUnsettled = "unsettled" // what became of a request is not known
	RuleShrink    = "shrink"    // nodes get smaller
	RuleLifted    = "lifted"    // a guard is taken away
	RuleGuard     = "guard"     // a guard is new
	RuleOwned     = "owned"     // differs, and somebody else keeps it
	RuleNote      = "note"      // a warning of the plan's
	RuleStopped   = "stopped"   // the command ended before it had a plan or a result
	RuleShort     = "short"     // an action was sent and fell short
	RuleUndone    = "undone"    // an action was not done
	RuleUnsent    = "unsent"    // an action was not sent
	RuleDiffers   = "differs"   // done, and the cluster is still not as wanted
	RuleForeign   = "foreign"   // nodes came or went that are not the action's
)

// Rules are the rules of reviews, plans and results with a sentence on each.
var Rules = map[string]string{
	RuleDenied:    "A guard does not let this change pass.",
	RuleBlocked:   "No call of the cloud can make this change.",
	RuleRemoval:   "This change takes nodes away.",
	RuleIdentity:  "Another cluster or account is meant from now on.",
	RuleChange:    "This line changes clusters.",
	RuleUnmanaged: "A cluster is no longer managed; nothing is deleted.",
	RuleRenamed:   "A cluster gets another key.",
	RuleAdded:     "A cluster is managed from now on.",
	RuleUnknown:   "The base is not sound, so that clusters cannot be compared.",
	RuleUnread:    "A cluster could not be read, so nothing is planned for it.",
	RuleUnsettled: "What became of a request is not known yet; its cluster gets no other.",
	RuleShrink:    "This change makes nodes smaller.",
	RuleLifted:    "A guard is taken away or loosened.",
	RuleGuard:     "A guard is new.",
	RuleOwned:     "A field differs that is marked as somebody else's.",
	RuleNote:      "Something to know before the plan is applied.",
	RuleStopped:   "The command ended before it had a plan or a result.",
	RuleShort:     "An action was sent and fell short.",
	RuleUndone:    "An action was not done.",
	RuleUnsent:    "An action was not sent.",
	RuleDiffers:   "An action was done, and the cluster still differs from the spec.",
	RuleForeign:   "Nodes came or went that no action of the plan is about.",
}

// Annotations are what a review says about lines, one for each line however
// many clusters it changes, the loudest and farthest reaching first.
func Annotations(r *review.Review) []Annotation {
	var all []Annotation
	for _, c := range causesOf(r) {
		all = append(all, annotationOf(c))
	}
	for _, kind := range []struct {
		kind        review.Kind
		rule, about string
	}{
		{review.Removed, RuleUnmanaged, "no longer managed; nothing is deleted"},
		{review.Renamed, RuleRenamed, "another key"},
		{review.Added, RuleAdded, "managed from now on"},
	} {
		for _, c := range r.Clusters {
			if c.Kind != kind.kind {
				continue
			}
			a := Annotation{Level: LevelNotice, Rule: kind.rule, Title: c.Address + ": " + kind.about, Subject: c.Address,
				Message: fmt.Sprintf("cluster %s of %s/%s", c.Address, c.Provider, c.Type),
				File:    c.Place.File, Line: c.Place.Line, Column: c.Place.Column, InBase: kind.kind == review.Removed}
			if c.Was != "" {
				a.Message += ", which was " + c.Was
			}
			all = append(all, a)
		}
	}
	if n := len(r.Unknown); n > 0 {
		all = append(all, Annotation{Level: LevelNotice, Rule: RuleUnknown, Title: plural(n, "cluster") + " not comparable",
			Message: "the base is not sound there: " + firstOf(r.Unknown)})
	}
	return all
}

// annotationOf says what a line does.
func annotationOf(c *cause) Annotation {
	a := Annotation{Level: LevelNotice, Rule: RuleChange, File: c.place.File, Line: c.place.Line, Column: c.place.Column, InBase: c.inBase}
	about := plural(len(c.clusters), "cluster") + " changed"
	if len(c.variants) == 0 {
		about = plural(len(c.clusters), "cluster")
	}
	switch c.rank() {
	case 0:
		a.Level, a.Rule, a.Title = LevelError, RuleDenied, "denied by guard "+c.denied[0].guard
	case 1:
		a.Level, a.Rule, a.Title = LevelError, RuleBlocked, "blocked"
	case 2:
		a.Level, a.Rule = LevelWarning, RuleRemoval
		if c.removed > 0 {
			a.Title = plural(int(c.removed), "node") + " removed"
		} else {
			a.Rule, a.Title = RuleLifted, "guard lifted"
		}
	case 3:
		a.Rule, a.Title = RuleIdentity, "another cluster is meant"
	}
	if a.Title != "" {
		a.Title += "; "
	}
	a.Title += about
	lines := []string{"changes " + plural(len(c.clusters), "cluster") + ": " + firstOf(c.clusters)}
	for i, v := range c.variants {
		if i == variantsRow {
			lines = append(lines, andMore(len(c.variants)-i)+" changes")
			break
		}
		lines = append(lines, fmt.Sprintf("%s: %s → %s, %s", v.path, valueText(v.before), valueText(v.after), v.effect))
	}
	for _, r := range c.variants {
		if !strings.Contains(a.Subject, r.path+" ") {
			a.Subject += r.path + " "
		}
	}
	told := map[string]bool{}
	for _, r := range append(c.denied[:len(c.denied):len(c.denied)], c.blocked...) {
		line := "blocked: " + r.reason
		if r.guard != "" {
			line = "denied by guard " + r.guard + ": " + r.reason
		}
		if told[line] {
			continue
		}
		if told[line] = true; len(told) > variantsRow {
			lines = append(lines, "and other reasons")
			break
		}
		lines = append(lines, line)
	}
	a.Message = strings.Join(lines, "\n")
	return a
}

func valueText(text string) string {
	if text == notStated {
		return "not stated"
	}
	return text
}

// printable makes every line of a message safe to print; lines stay lines.
func printable(message string) string {
	lines := strings.Split(message, "\n")
	for i, l := range lines {
		lines[i] = cut(Clean(l), maxSentence)
	}
	return strings.Join(lines, "\n")
}

// fingerprints tell annotations apart and stay the same when lines move and
// values change.
func fingerprints(all []Annotation) []string {
	seen := map[string]int{}
	var sums []string
	for _, a := range all {
		key := strings.Join([]string{a.Rule, a.File, a.Subject}, "\x00")
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, seen[key]))
		seen[key]++
		sums = append(sums, hex.EncodeToString(sum[:]))
	}
	return sums
}
