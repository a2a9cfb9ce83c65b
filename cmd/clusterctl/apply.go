package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/render"
)

func (sh *shell) applyCommand() *cli.Command {
	return &cli.Command{
		Name: "apply", Usage: "carry out a saved plan, or plan a spec and carry that out", ArgsUsage: "[FILE|DIR]",
		Description: "With a saved plan FILE exactly that is applied, or refused when anything moved since.\n" +
			"   With DIR (default: the working directory) apply plans first and asks. Without a terminal it needs\n" +
			"   a saved plan or --auto-approve. Requests that an earlier run left unsettled are watched first;\n" +
			"   nothing is ever sent twice. ^C stops new sends and records what is under way; ^C again stops at once.\n" +
			"   A saved plan approves the prices that it names: they are asked again first, and one that rose makes it stale.\n" + aboutMaxCost,
		Flags: append(planFlags(), formatFlag("text, json, markdown, html, github, sarif or gitlab"),
			&cli.BoolFlag{Name: "auto-approve", Usage: "do not ask"},
			&cli.IntFlag{Name: "parallelism", Value: 10, Usage: "work on `N` clusters at a time"},
			&cli.DurationFlag{Name: "wait", Value: 30 * time.Minute, Usage: "wait up to `DURATION` for a busy cluster"},
			&cli.DurationFlag{Name: "lock-timeout", Usage: "wait up to `DURATION` for a cluster that another run has locked"},
			&cli.StringFlag{Name: "new-store", Usage: "make a missing store; `MODE` wait: each cluster's first action waits until a lost request can no longer arrive, now: it does not"}),
		Action: sh.apply,
	}
}

func (sh *shell) apply(c *cli.Context) error {
	format, err := oneOf(c, "format", "text", "json", "markdown", "html", "github", "sarif", "gitlab")
	if err != nil {
		return err
	}
	if err := wantArgs(c, 1); err != nil {
		return err
	}
	if n := c.Int("parallelism"); n < 1 {
		return exitf(exitError, "--parallelism takes a number from 1 up, not %d", n)
	}
	for _, flag := range []string{"wait", "lock-timeout"} {
		if d := c.Duration(flag); d < 0 {
			return exitf(exitError, "--%s takes a duration from 0 up, not %s", flag, d)
		}
	}
	ctx, stop := sh.interruptible(c.Context)
	defer stop()
	arg := c.Args().First()
	run := &applyRun{shell: sh, Context: c, ctx: ctx, format: format}
	if info, err := os.Stat(arg); err == nil && !info.IsDir() {
		return run.told(run.saved(arg))
	} else if err != nil && arg != "" && strings.HasSuffix(arg, ".json") {
		return run.told(exitf(exitError, "no saved plan %s: %v", arg, cause(err)))
	}
	return run.told(run.spec())
}

// told prints why the run ended, unless it came to a result.
func (r *applyRun) told(err error) error {
	if r.began {
		return err
	}
	return r.stopped(r.format, "apply", r.Context, err, r.denied)
}

// cause is the reason in an error of the file system, whose path is printed
// already or is of no interest.
func cause(err error) error {
	var one *fs.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &one):
		return one.Err
	case errors.As(err, &two):
		return two.Err
	}
	return err
}

// applyRun is one apply.
type applyRun struct {
	*shell
	*cli.Context
	ctx    context.Context
	format string
	store  journal.Store
	held   *policies       // of a spec
	denied []engine.Denied // why nothing is sent
	began  bool            // there is a result, printed or not
	usual  *journal.Usual  // nil: history was not asked yet
}

// saved applies a plan file: it approves exactly what it lists.
func (r *applyRun) saved(file string) error {
	plan, err := readPlan(file)
	if err != nil {
		return err
	}
	for _, flag := range []string{"target", "exclude", "allow-shrink"} {
		if r.IsSet(flag) {
			return exitf(exitError, "--%s has no effect on a saved plan; give it to plan", flag)
		}
	}
	if err := r.hold(plan); err != nil {
		return err
	}
	if err := r.refuse(plan); err != nil {
		return err
	}
	if r.store, err = r.openStore(r.ctx, r.Context); err != nil {
		return err
	}
	open, _, err := r.store.Open()
	if err != nil {
		return err
	}
	s, err := r.start(r.ctx, r.Context, entriesOfPlan(plan, open))
	if err != nil {
		return err
	}
	defer s.close()
	// Clusters with actions wait for their lock once, when their turn comes.
	about := map[string]bool{}
	for _, o := range plan.OpenIntents {
		cluster, _, _ := strings.Cut(o.Address, "/")
		about[cluster] = true
	}
	settled, err := r.settleOpen(s, about)
	if err != nil {
		return err
	}
	if r.ctx.Err() != nil {
		return quietly(resultCode(&engine.Result{Settled: settled}, true))
	}
	if err := r.priceAgain(s, plan); err != nil {
		return outranked(err, settled)
	}
	return outranked(r.carryOut(s, plan, settled), settled)
}

// spec plans a spec, asks, and applies.
func (r *applyRun) spec() error {
	if !r.Bool("auto-approve") && !terminal(r.stdin) {
		return exitf(exitDenied, "nobody can be asked here: there is no terminal. Pass --auto-approve, or save a plan (plan --out FILE) and apply that")
	}
	fleet, err := r.load(r.Context)
	if err != nil {
		return err
	}
	clusters, err := r.chooseWhole(r.Context, fleet)
	if err != nil {
		return err
	}
	if r.held, err = r.policiesAt(r.Context, fleet.Root); err != nil {
		return err
	}
	if r.store, err = r.openStore(r.ctx, r.Context); err != nil {
		return err
	}
	s, err := r.start(r.ctx, r.Context, entriesOf(fleet, clusters))
	if err != nil {
		return err
	}
	defer s.close()
	about := map[string]bool{}
	for _, cl := range clusters {
		about[cl.Address] = true
	}
	settled, err := r.settleOpen(s, about)
	if err != nil {
		return err
	}
	if r.ctx.Err() != nil {
		return quietly(resultCode(&engine.Result{Settled: settled}, true))
	}
	plan, _, err := r.makePlan(r.ctx, r.Context, s, fleet, clusters, r.store, r.held)
	if err == nil {
		err = r.approved(s, plan, settled)
	}
	return outranked(err, settled)
}

// approved shows a fresh plan, asks, and carries it out.
func (r *applyRun) approved(s *session, plan *engine.Plan, settled []engine.Outcome) error {
	if err := r.showPlan(plan); err != nil {
		return err
	}
	if err := r.tell(r.held); err != nil {
		return err
	}
	if err := r.refuse(plan); err != nil {
		return err
	}
	if !plan.Empty() && !r.Bool("auto-approve") {
		if err := r.ask(plan); err != nil {
			return err
		}
	}
	return r.carryOut(s, plan, settled)
}

// refuse tells what guards deny, before anything is sent.
func (r *applyRun) refuse(plan *engine.Plan) error {
	if len(plan.Denied) == 0 {
		return nil
	}
	r.denied = plan.Denied
	var reasons []string
	for _, d := range plan.Denied {
		if d.Guard == guardPolicy && r.held != nil {
			continue // told with its line
		}
		reasons = append(reasons, d.Address+": "+d.String())
	}
	if len(reasons) < len(plan.Denied) {
		reasons = append(reasons, broken(r.held))
	}
	return exitf(exitDenied, "nothing was sent:\n  %s", strings.Join(reasons, "\n  "))
}

// showPlan prints the plan for the one who is asked: with another form wanted on
// stdout, on stderr.
func (r *applyRun) showPlan(plan *engine.Plan) error {
	switch {
	case r.format == "text":
		return render.Plan(r.stdout, plan, r.look(r.stdout))
	case !r.Bool("auto-approve"):
		return render.Plan(r.stderr, plan, r.look(r.stderr))
	}
	return nil
}

// ask repeats removals and cost and wants the word yes.
func (r *applyRun) ask(plan *engine.Plan) error {
	fmt.Fprintln(r.stderr)
	for _, line := range render.Removals(plan, r.look(r.stderr)) {
		fmt.Fprintln(r.stderr, line)
	}
	if cost := render.Cost(plan); strings.HasPrefix(cost, "refund") {
		fmt.Fprintf(r.stderr, "  %s\n", cost)
	} else if cost != "" {
		fmt.Fprintf(r.stderr, "  costs %s\n", cost)
	}
	for _, line := range render.Guards(plan, r.look(r.stderr)) {
		fmt.Fprintln(r.stderr, line)
	}
	fmt.Fprintf(r.stderr, "Apply %s? Only yes is taken for it: ", asked(plan))
	answer, err := r.readLine(r.ctx)
	if err == nil && answer != "yes" {
		return exitf(exitDenied, "not approved; nothing was sent")
	}
	return err
}

// asked is what the question is about: "these 3 actions and 1 guard".
func asked(plan *engine.Plan) string {
	guards := plural(len(plan.Guards), "guard", "guards")
	what := "this action"
	switch n := len(plan.Actions); {
	case n == 0:
		return guards
	case n > 1:
		what = fmt.Sprintf("these %d actions", n)
	}
	if len(plan.Guards) > 0 {
		what += " and " + guards
	}
	return what
}

func (r *applyRun) applier(s *session, plan *engine.Plan) *engine.Applier {
	return &engine.Applier{
		Plan: plan, Entries: s.entries, Store: r.store, Holder: journal.Self(r.command, time.Now()), Secret: r.secret,
		Parallelism: r.Int("parallelism"), LockTimeout: r.Duration("lock-timeout"),
		Wait: max(r.Duration("wait"), 1), // none at all, where 0 would be the usual
	}
}

// carryOut applies the plan and prints what came of it.
func (r *applyRun) carryOut(s *session, plan *engine.Plan, settled []engine.Outcome) error {
	a := r.applier(s, plan)
	progress, done := r.show(len(plan.Actions))
	if len(plan.Actions) > 0 {
		progress.Expect(r.expecting(s, nil))
	}
	a.Report = func(e engine.Event) {
		r.following(e)
		progress.Event(e)
	}
	result, err := a.Apply(r.ctx)
	done()
	if err != nil {
		if r.ctx.Err() != nil {
			return quietly(exitInterrupted)
		}
		return fmt.Errorf("nothing was sent:\n%w", err)
	}
	r.began = true
	left, err := r.unreadable(plan)
	if err != nil {
		return err
	}
	// Concat of nothing would be nil, which JSON has another word for.
	result.Settled = append([]engine.Outcome{}, slices.Concat(settled, result.Settled, left)...)
	if r.format == "json" {
		err = r.printJSON(result)
	} else if r.format == "markdown" {
		err = render.MarkdownResult(r.stdout, result, r.commentOn(r.Context, "apply"))
	} else if r.format == "html" {
		err = render.HTMLResult(r.stdout, result, plan, r.commentOn(r.Context, "apply"))
	} else if onLines(r.format) {
		err = r.resultOnLines(result, plan)
	} else if !plan.Empty() || len(result.Settled) > 0 {
		// Who watched the live lines has just read every outcome.
		err = render.Result(r.stdout, result, terminal(r.stdout) && terminal(r.stderr), r.look(r.stdout))
	}
	// A result that cannot be printed is no milder than it was.
	return errors.Join(err, quietly(resultCode(result, r.ctx.Err() != nil)))
}

// show draws progress on stderr until done is called.
func (r *applyRun) show(total int) (progress *render.Progress, done func()) {
	var width func() int
	if terminal(r.stderr) && r.getenv("TERM") != "dumb" {
		width = func() int { return columns(r.stderr) }
	}
	p := render.NewProgress(r.stderr, total, r.colour(r.stderr), width, time.Now)
	r.screen.take(p.Say)
	ticker := time.NewTicker(time.Second)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-ticker.C:
				p.Tick()
			case <-stop:
				return
			}
		}
	}()
	return p, func() {
		ticker.Stop()
		close(stop)
		<-stopped
		r.screen.take(nil)
		p.Close()
	}
}
