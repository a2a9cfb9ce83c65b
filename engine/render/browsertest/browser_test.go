//go:build browser

package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// shots is where screenshots go, for people to look at.
var shots = filepath.Join("..", "..", "..", "bin", "browser")

// browser is one Chromium for all tests.
var browser context.Context

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		fmt.Fprintln(os.Stderr, "no browser was found: install Debian's package chromium (chromium-browser and google-chrome do as well)")
		return 1
	}
	if err := os.MkdirAll(shots, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(1280, 900), chromedp.DisableGPU,
		chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root with one
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, close := chromedp.NewContext(ctx)
	defer close()
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "start", path+":", err)
		return 1
	}
	browser = ctx
	return m.Run()
}

// tab is one page in the browser, and what it did that it should not.
type tab struct {
	*testing.T
	ctx context.Context

	mu       sync.Mutex
	said     []string // console, exceptions, violations of the policy
	requests []string
}

// open shows a file. When the test ends, the page must have said nothing and
// asked for nothing but itself.
func open(t *testing.T, name, content string, before ...step) *tab {
	t.Helper()
	p := raw(t, name, content, before...)
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.said) > 0 {
			t.Errorf("the page said: %s", strings.Join(p.said, "\n"))
		}
		if len(p.requests) != 1 {
			t.Errorf("the page asked for %v", p.requests)
		}
	})
	return p
}

// raw is open that leaves the judgement to the test.
func raw(t *testing.T, name, content string, before ...step) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, close := chromedp.NewContext(browser)
	t.Cleanup(close)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	p := &tab{T: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	p.do(call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}), call(runtime.Enable, cdp.Empty{}))
	p.do(before...)
	p.do(chromedp.Navigate("file://" + file))
	return p
}

func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		p.said = append(p.said, fmt.Sprintf("console %s: %v", e.Type, e.Args))
	case *runtime.EventExceptionThrown:
		p.said = append(p.said, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		p.said = append(p.said, "log: "+e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			p.requests = append(p.requests, e.Request.URL)
		}
	}
}

func (p *tab) do(steps ...step) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// is demands the value of an expression.
func is[V comparable](p *tab, expression string, want V) {
	p.Helper()
	got, err := chromedp.Run(p.ctx, chromedp.Evaluate[V](expression))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	if got != want {
		p.Errorf("%s\nis %v, want %v", expression, got, want)
	}
}

// seen is an expression that counts what is shown of a selector.
func seen(selector string) string {
	return fmt.Sprintf(`Array.from(document.querySelectorAll(%q)).filter(e => e.checkVisibility()).length`, selector)
}

// shot takes a picture: of the whole page, or of what fits into the window.
func (p *tab) shot(name string, whole bool) {
	p.Helper()
	take := chromedp.CaptureScreenshot()
	if whole {
		take = chromedp.FullScreenshot(100)
	}
	png, err := chromedp.Run(p.ctx, take)
	if err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(shots, name+".png"), png, 0o644); err != nil {
		p.Fatal(err)
	}
}

// step is an action without a value.
type step = chromedp.Action[chromedp.Void]

// call is a command of the protocol as a step.
func call[P, R any](command cdp.Command[P, R], params P) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, command, params)
		return chromedp.Void{}, err
	}
}

// script runs in the page.
func script(text string) step { return chromedp.Evaluate[chromedp.Void](text) }

// click is a click on the first element of a selector.
func click(selector string) step { return chromedp.Click(chromedp.CSS(selector)) }

// write types into the filter.
func write(text string) step { return chromedp.SendKeys(chromedp.CSS("#q"), text) }

// scheme is what the system prefers.
func scheme(name string) step {
	return call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

// paper is a printer.
func paper() step {
	return call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
}

// window is a window of a size.
func window(wide, high int64) step {
	return call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: wide, Height: high, DeviceScaleFactor: 1, Mobile: wide < 500})
}
