package render

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/clusterctl/clusterctl/engine/topology"
)

// Comment is what a comment on a pull request needs beside what it is about.
type Comment struct {
	// Name tells the comment from others of ours, such as those about another
	// spec of the repository: "diff envs/prod". A workflow looks for its marker.
	Name string
	// Command shows the same again.
	Command string
}

// Marker is the first line of a comment: it shows nothing, and a workflow finds
// its comment by it.
func (c Comment) Marker() string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)), strings.ContainsRune(" ./_", r):
			return r
		case r == '-':
			return '_' // two of them would end what is hidden
		}
		return '?'
	}, c.Name)
	return "<!-- clusterctl " + name + " -->"
}

// In a comment, names, values and reasons of others stand in code spans, where
// forges look for no mention, reference, link or markup. Inside a span only the
// backtick means something, and in a table the bar: both are shown by look-alikes.
const (
	grave = 'ˋ'
	bar   = '∣'
)

// The longest that a name or value and a sentence may be, in characters.
const (
	maxName     = 120
	maxSentence = 400
)

// code is text as a code span of one line.
func code(text string) string {
	if text == "" || strings.TrimSpace(text) != text {
		text = `"` + text + `"`
	}
	return "`" + cut(visible(text), maxName) + "`"
}

// codes lists texts as code spans, the first most of them.
func codes(texts []string, most int) string {
	var spans []string
	for _, t := range texts[:min(len(texts), most)] {
		spans = append(spans, code(t))
	}
	list := strings.Join(spans, ", ")
	if more := len(texts) - most; more > 0 {
		list += " " + andMore(more)
	}
	return list
}

func andMore(n int) string { return "and " + grouped(n) + " more" }

// visible takes from text what could end a code span, and shows what would not
// be seen: line ends, and characters that turn or hide others.
func visible(text string) string {
	return topology.Visible(strings.NewReplacer("`", string(grave), "|", string(bar)).Replace(text))
}

// cut shortens text to so many characters, and says that it did.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%s characters more)", string(runes[:most]), grouped(len(runes)-most))
}

// plainWord is a word that means nothing to any forge: letters, or a short
// number, with what may stand around them in a sentence.
var plainWord = regexp.MustCompile(`^["(]?(?:\p{L}+(?:['’-]\p{L}+)*|[0-9]{1,6}(?:\.[0-9]{1,3})?%?|[+-]?[¥€]?[0-9]{1,3}(?:,[0-9]{3}){0,3}\.[0-9]{2}|[→–—…·×%])[.,;:!?]?[")]?[.,;:]?$`)

// commitLike is what may be taken for a commit.
var commitLike = regexp.MustCompile(`^[0-9a-fA-F]{7,}$`)

// prose words text of others: plain words stay as they are, and all else
// stands in code spans. It must not stand at the beginning of a line.
func prose(text string) string {
	var parts, unsafe []string
	flush := func() {
		if len(unsafe) > 0 {
			bare, tail := withoutTail(strings.Join(unsafe, " "))
			parts = append(parts, "`"+bare+"`"+tail)
			unsafe = nil
		}
	}
	long := []rune(text)
	if len(long) > maxSentence {
		text = string(long[:maxSentence])
	}
	for _, word := range strings.Fields(text) {
		if plainWord.MatchString(word) && !commitLike.MatchString(strings.Trim(word, `"().,;:!?`)) {
			flush()
			parts = append(parts, word)
			continue
		}
		unsafe = append(unsafe, visible(word))
		if _, tail := withoutTail(word); tail != "" {
			flush()
		}
	}
	flush()
	if more := len(long) - maxSentence; more > 0 {
		parts = append(parts, fmt.Sprintf("… (%s characters more)", grouped(more)))
	}
	return strings.Join(parts, " ")
}

// withoutTail takes the signs from the end of a word that end a part of a
// sentence.
func withoutTail(word string) (bare, tail string) {
	bare = strings.TrimRight(word, ".,;:")
	if strings.HasSuffix(bare, ")") && strings.Count(bare, "(") < strings.Count(bare, ")") {
		bare = strings.TrimSuffix(bare, ")")
	}
	if bare == "" {
		return word, ""
	}
	return bare, word[len(bare):]
}

// grouped is a number with commas: "12,345".
func grouped(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// count is "1 cluster", "5,000 clusters".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}
