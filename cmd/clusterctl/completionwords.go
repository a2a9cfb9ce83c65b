package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// candidate is what a word may become.
type candidate struct{ text, about string }

// completing is a command line up to the cursor, as far as it is understood.
type completing struct {
	*shell
	command *cli.Command        // nil: none was named yet
	among   []*cli.Command      // its sub-commands
	values  map[string][]string // of flags that stand before the cursor
	args    int                 // that stand before the cursor
	pending cli.Flag            // whose value is wanted
	now     string              // the word that was begun
}

// complete says what the last of the words may become, the others being before
// it. Whatever is wrong, there is nothing to offer: nobody reads an error that
// appears while they type.
func (sh *shell) complete(commands []*cli.Command, words []string) []candidate {
	last := len(words) - 1
	c := &completing{shell: sh, among: commands, values: map[string][]string{}, now: words[last]}
	for i := 0; i < last; i++ {
		i += c.pass(words[i], words[i+1:last])
	}
	var found []candidate
	prefix := ""
	name, value, both := strings.Cut(c.now, "=")
	switch flag := c.flag(name); {
	case c.pending != nil:
		found = c.valuesOf(c.pending, c.now)
	case strings.HasPrefix(c.now, "-") && both && flag != nil:
		prefix = name + "="
		found = c.valuesOf(flag, value)
	case strings.HasPrefix(c.now, "-"):
		found = c.flags()
	case c.command == nil || len(c.among) > 0:
		found = commandWords(c.among)
	default:
		found = c.arguments()
	}
	var fitting []candidate
	for _, w := range found {
		if w.text = prefix + w.text; c.fits(w.text) && sound.MatchString(w.text) {
			fitting = append(fitting, w)
		}
	}
	return fitting
}

// sound is a word that no shell interprets, wherever it is put.
var sound = regexp.MustCompile(`^[\pL\pM\pN._/@:+=-]+$`)

// fits reports that a word begins as what was typed. status has its names behind
// a flag, and they fit without it.
func (c *completing) fits(word string) bool {
	_, name, _ := strings.Cut(word, "=")
	return strings.HasPrefix(word, c.now) || !strings.HasPrefix(c.now, "-") && strings.HasPrefix(name, c.now) ||
		strings.HasPrefix(c.now, "-") && !strings.HasPrefix(c.now, "--") && strings.HasPrefix(word, "-"+c.now)
}

// pass takes a word before the cursor, and says how many of those after it
// belong to it.
func (c *completing) pass(word string, after []string) int {
	if !strings.HasPrefix(word, "-") {
		at := slices.IndexFunc(c.among, func(cmd *cli.Command) bool { return cmd.HasName(word) })
		switch {
		case at >= 0:
			c.command, c.among = c.among[at], c.among[at].Subcommands
		case c.command == nil || len(c.among) > 0:
			c.command, c.among = &cli.Command{}, nil // none that we have: nothing to offer
		default:
			c.args++
		}
		return 0
	}
	name, value, both := strings.Cut(word, "=")
	flag := c.flag(name)
	switch {
	case flag == nil:
		return 0
	case both:
	case isSwitch(flag):
		value = "true"
	case len(after) == 0:
		c.pending = flag
		return 0
	default:
		value = after[0]
	}
	c.values[flag.Names()[0]] = append(c.values[flag.Names()[0]], value)
	if both || isSwitch(flag) {
		return 0
	}
	return 1
}

// flag is the command's flag of that name, with its dashes.
func (c *completing) flag(name string) cli.Flag {
	if c.command == nil {
		return nil
	}
	name = strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
	for _, f := range c.command.Flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func isSwitch(f cli.Flag) bool {
	_, is := f.(*cli.BoolFlag)
	return is
}

// flags are those that may still be given.
func (c *completing) flags() []candidate {
	words := []candidate{{"--help", "show help"}}
	if c.command == nil {
		return words
	}
	for _, f := range c.command.Flags {
		name := f.Names()[0]
		_, again := f.(*cli.StringSliceFlag)
		if name == "help" || len(c.values[name]) > 0 && !again {
			continue
		}
		about := ""
		if d, ok := f.(cli.DocGenerationFlag); ok {
			about = strings.ReplaceAll(d.GetUsage(), "`", "")
		}
		words = append(words, candidate{"--" + name, about})
	}
	slices.SortFunc(words, func(a, b candidate) int { return compare(a.text, b.text) })
	return words
}

func commandWords(commands []*cli.Command) []candidate {
	var words []candidate
	for _, c := range commands {
		if !c.Hidden {
			words = append(words, candidate{c.Name, c.Usage})
		}
	}
	return words
}

// arguments are what a command works on.
func (c *completing) arguments() []candidate {
	if c.args > 0 {
		return nil
	}
	switch c.command.Name {
	case "help":
		return commandWords(c.shell.app().Commands)
	case "completion":
		return plain(shells)
	case "resolve":
		return plain(c.remembered().open)
	case "unlock":
		return plain(c.remembered().clusters)
	case "history":
		if cluster, _, isGroup := strings.Cut(c.now, "/"); isGroup {
			return plain(c.remembered().groupsOf(cluster))
		}
		return plain(c.remembered().clusters)
	case "status":
		return c.chosen()
	}
	return nil
}

// chosen are the clusters of the spec as status takes them: its argument is a
// folder, which is what a word with a slash or dots begins.
func (c *completing) chosen() []candidate {
	var words []candidate
	if !strings.ContainsAny(c.now, "/") && !strings.HasPrefix(c.now, ".") {
		for _, address := range c.addresses() {
			words = append(words, candidate{"--target=" + address, ""})
		}
	}
	return words
}

// valuesOf are the values that a flag takes.
func (c *completing) valuesOf(f cli.Flag, begun string) []candidate {
	switch name := f.Names()[0]; name {
	case "target", "exclude":
		return plain(c.addresses())
	case "format":
		return plain(formatsIn(f))
	case "new-store":
		return plain([]string{"wait", "now"})
	case "op":
		return plain(historyOps)
	case "verdict":
		return plain(historyVerdicts)
	case "cluster":
		return plain(c.remembered().clusters)
	case "group", "provider", "who", "plan":
		return plain(c.remembered().of[name])
	}
	return nil
}

// plain are words without more to say. One that begins like a flag would be
// taken for one.
func plain(texts []string) []candidate {
	var words []candidate
	for _, t := range texts {
		if !strings.HasPrefix(t, "-") {
			words = append(words, candidate{t, ""})
		}
	}
	return words
}

// formatsIn are the formats that a flag's usage names.
func formatsIn(f cli.Flag) []string {
	usage, ok := f.(*cli.StringFlag)
	if !ok {
		return nil
	}
	_, words, _ := strings.Cut(usage.Usage, ": ")
	known := []string{"text", "json", "markdown", "html", "dot", "svg", "github", "sarif", "gitlab"}
	return slices.DeleteFunc(regexp.MustCompile(`[a-z]+`).FindAllString(words, -1), func(word string) bool { return !slices.Contains(known, word) })
}
