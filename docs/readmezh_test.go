package docs_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const chineseReadme = "../README.zh-CN.md"

// TestChineseReadme: README.zh-CN.md says block for block what README.md says.
// With -update it gets the fenced blocks and the table of reliability anew; the
// prose is for people to translate.
func TestChineseReadme(t *testing.T) {
	t.Parallel() // so that with -update it runs after the tests that rewrite README.md
	english, chinese := read(t, "../README.md"), read(t, chineseReadme)
	if fresh := copied(english, chinese); *update && fresh != chinese {
		if err := os.WriteFile(chineseReadme, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
		chinese = fresh
	}
	if difference := translated(english, chinese); difference != "" {
		t.Error(difference)
	}
}

// TestChineseReadmeFaults: what is missing, added or other on either side is
// found, and the message says where it stands and what it is.
func TestChineseReadmeFaults(t *testing.T) {
	readmes := map[string]string{"en": read(t, "../README.md"), "zh": read(t, chineseReadme)}
	for _, tc := range []struct{ of, old, fresh, want string }{
		{"zh", "## 退出码\n", "### 退出码\n", `heading 2 "Exit codes" stands beside heading 3`},
		{"zh", "\n## 退出码\n", "\n", `heading 2 "Exit codes" stands beside row`},
		{"en", "## Exit codes", "## Colours\n\nNone.\n\n## Exit codes", `paragraph "None." stands beside row`},
		{"zh", "$ bin/clusterctl plan --out plan.json first\n", "$ bin/clusterctl plan first\n", "the blocks differ"},
		{"en", "5 clusters are valid.", "6 clusters are valid.", "the blocks differ"},
		{"zh", "；同 `--store` |", " |", "code [\"--store\" \"CCTL_STORE\"] beside [\"CCTL_STORE\"]"},
		{"zh", "没有加 `--allow-shrink`", "没有加 `--allow-shrinks`", `beside ["--allow-shrinks"]`},
		{"en", "without `--allow-shrink`.", "at all.", `code [] beside ["--allow-shrink"]`},
		{"zh", "`CCTL_LOG`", "`CCTL_LOGS`", `beside ["CCTL_LOGS"]`},
		{"en", "| `NO_COLOR` | set to anything: no colours |\n", "", "stands beside row"},
		{"zh", "| 130 |", "| 131 |", `numbers ["130"] beside ["131"]`},
		{"zh", "按 6、130、5、3、4、7、1 的", "按 6、130、5、4、3、7、1 的", `numbers ["6" "130" "5" "3"`},
		{"en", "| 3 | the plan is stale: something moved since it was made |\n", "", `numbers ["4"] beside ["3"]`},
		{"zh", "(docs/formats.md)", "(docs/limits.md)", `links ["docs/formats.md"] beside ["docs/limits.md"]`},
		{"en", "[CUE](https://cuelang.org)", "CUE", `links [] beside ["https://cuelang.org"]`},
		{"zh", `(#至多一次)`, `(#至多两次)`, "does not lead"},
		{"zh", `(#至多一次)`, `(#退出码)`, "does not lead"},
		{"zh", "- [specs/](specs/)：示例\n", "", "README.zh-CN.md ends before README.md"},
		{"en", "- [specs/](specs/): example fleets\n", "", "README.md ends before README.zh-CN.md"},
		{"zh", "- [docs/protocol.md](docs/protocol.md)：不用 Go 编写的插件", "- [docs/protocol.md](docs/protocol.md): not in Go", "is not translated"},
		{"en", "| 2, 4 and 8 applies at once |", "| 2, 4 and 16 applies at once |", "numbers"},
	} {
		broken := maps.Clone(readmes)
		if broken[tc.of] = strings.Replace(readmes[tc.of], tc.old, tc.fresh, 1); broken[tc.of] == readmes[tc.of] {
			t.Errorf("%s: %q is not there", tc.of, tc.old)
		}
		if got := translated(broken["en"], broken["zh"]); !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q in place of %q: told %q, want %q", tc.of, tc.fresh, tc.old, got, tc.want)
		}
	}
}

// A block is what Markdown shows as one piece: a heading, a paragraph, an item
// of a list, a row of a table, or a fenced block.
type block struct {
	kind string // "heading 2", "paragraph", "item", "numbered item", "row", "code"
	line int
	text string // without the mark that makes it an item or a heading
}

var (
	// Comments show nothing, and the tables of limits are kept by package schema.
	unseen  = regexp.MustCompile(`(?s)<!-- limits:begin -->.*?<!-- limits:end -->|<!-- .*? -->`)
	starts  = regexp.MustCompile(`^(#+|-|\d+\.) `)
	targets = regexp.MustCompile(`\]\(([^)\s]+)\)|href="([^"]+)"`)
	// GitHub keeps letters of every script in the names of headings.
	notName = regexp.MustCompile(`[^\pL\pM\pN\p{Pc} -]`)
	numeral = regexp.MustCompile(`\d+(?:\.\d+)*`)
	word    = regexp.MustCompile(`[A-Za-z]{2,}`)
)

// blocks cuts a document; lines that go on with a paragraph or an item join it.
func blocks(text string) (all []block) {
	text = unseen.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) })
	open, number := "", 0 // the kind of block that the next line may go on with
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		begin := func(kind, text string) { all = append(all, block{kind, number, text}) }
		mark := strings.TrimSpace(starts.FindString(line))
		switch fence := strings.HasPrefix(line, "```"); {
		case open == "code":
			all[len(all)-1].text += "\n" + line
			if fence {
				open = ""
			}
		case fence:
			begin("code", line)
			open = "code"
		case line == "":
			open = ""
		case strings.HasPrefix(line, "|"):
			begin("row", line)
			open = ""
		case strings.HasPrefix(mark, "#"):
			begin(fmt.Sprintf("heading %d", len(mark)), line[len(mark)+1:])
			open = ""
		case mark != "":
			open = "item"
			if mark != "-" {
				open = "numbered item"
			}
			begin(open, line[len(mark)+1:])
		case open != "":
			all[len(all)-1].text += "\n" + line
		default:
			open = "paragraph"
			begin(open, line)
		}
	}
	return all
}

// translated names the first place where two READMEs do not say the same:
// blocks in their order and of the same kinds, fenced ones equal, and in the
// others the same code (commands, flags, variables), links and numbers.
func translated(english, chinese string) string {
	en, zh := blocks(english), blocks(chinese)
	for i, b := range en {
		if i == len(zh) {
			return fmt.Sprintf("README.zh-CN.md ends before README.md:%d, %s %q", b.line, b.kind, b.text)
		}
		c := zh[i]
		at := fmt.Sprintf("README.md:%d and README.zh-CN.md:%d: ", b.line, c.line)
		if b.kind != c.kind {
			return fmt.Sprintf("%s%s %q stands beside %s %q", at, b.kind, b.text, c.kind, c.text)
		}
		if b.kind == "code" {
			if b.text != c.text {
				return fmt.Sprintf("%sthe blocks differ: run go test ./docs -update\n%s\n%s", at, b.text, c.text)
			}
			continue
		}
		for _, fact := range []struct {
			name   string
			en, zh []string
		}{
			{"code", codeIn(b.text), codeIn(c.text)},
			{"links", linksIn(b.text), linksIn(c.text)},
			{"numbers", numeral.FindAllString(prose(b.text), -1), numeral.FindAllString(prose(c.text), -1)},
		} {
			if !slices.Equal(fact.en, fact.zh) {
				return fmt.Sprintf("%s%s %q beside %q", at, fact.name, fact.en, fact.zh)
			}
		}
		if len(word.FindAllString(prose(b.text), -1)) > 1 && !strings.ContainsFunc(c.text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			return fmt.Sprintf("%s%q is not translated", at, c.text)
		}
	}
	if len(zh) > len(en) {
		b := zh[len(en)]
		return fmt.Sprintf("README.md ends before README.zh-CN.md:%d, %s %q", b.line, b.kind, b.text)
	}
	for i := range en {
		if to := leads(zh[i].text, zh); slices.Contains(to, -1) || !slices.Equal(to, leads(en[i].text, en)) {
			return fmt.Sprintf("README.zh-CN.md:%d: a link does not lead to the heading that README.md:%d leads to", zh[i].line, en[i].line)
		}
	}
	return ""
}

func codeIn(text string) (code []string) {
	for _, m := range spans.FindAllStringSubmatch(text, -1) {
		code = append(code, m[1])
	}
	return unique(code)
}

// linksIn has the links of a block: "#" for one within the document, which leads
// tells, and one word for that to the other language.
func linksIn(text string) (links []string) {
	for _, m := range targets.FindAllStringSubmatch(spans.ReplaceAllString(text, ""), -1) {
		target := m[1] + m[2]
		if strings.HasPrefix(target, "#") {
			target = "#"
		}
		if target == "README.md" || target == "README.zh-CN.md" {
			target = "the other language"
		}
		links = append(links, target)
	}
	return unique(links)
}

// leads has the places in the document that a block's links lead to.
func leads(text string, all []block) (places []int) {
	for _, m := range targets.FindAllStringSubmatch(spans.ReplaceAllString(text, ""), -1) {
		if name, ok := strings.CutPrefix(m[1]+m[2], "#"); ok {
			places = append(places, slices.IndexFunc(all, func(b block) bool {
				return strings.HasPrefix(b.kind, "heading") && anchor(b.text) == name
			}))
		}
	}
	return places
}

// anchor is the name that GitHub gives to a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(notName.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// prose is text without code and without where its links lead.
func prose(text string) string {
	return targets.ReplaceAllString(spans.ReplaceAllString(text, ""), "]")
}

// copied is the Chinese README with what it does not word itself: the English
// one's fenced blocks, in their order, and its table of reliability.
func copied(english, chinese string) string {
	en, zh := fenced.FindAllString(english, -1), 0
	if len(en) != len(fenced.FindAllString(chinese, -1)) {
		return chinese // which of them is missing is for people to see
	}
	chinese = fenced.ReplaceAllStringFunc(chinese, func(string) string { zh++; return en[zh-1] })
	table := reliabilityTable.FindString(english)
	return reliabilityTable.ReplaceAllStringFunc(chinese, func(string) string { return inChinese(table) })
}

var reliabilityTable = regexp.MustCompile(`(?s)<!-- reliability:begin -->.*?<!-- reliability:end -->`)

// inChinese words the README's table of reliability in Chinese. A row that is
// not here stays English, which translated tells.
func inChinese(table string) string {
	return strings.NewReplacer(
		"| | runs | bought twice |", "| | 运行次数 | 重复购买 |",
		"| simulated runs with faults, crashes and several appliers |", "| 带故障、崩溃和多个并发执行者的模拟运行 |",
		"| the same with a naive engine (target minus current, retry on timeout) |", "| 同上，换成朴素引擎（目标数减当前数，超时即重试） |",
		"| real processes, killed at named points, then run again |", "| 真实进程，在指定位置杀掉后再次运行 |",
		"| applies on a disk that fails, fills up or loses power |", "| 磁盘出错、写满或掉电时的执行 |",
		"| 2, 4 and 8 applies at once |", "| 2、4、8 个 apply 同时执行 |",
	).Replace(table)
}
