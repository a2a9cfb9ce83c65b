package simulation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Start signs and sends one request, and the network does with it what the
// seed wants.
func (p *plugin) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	var b body
	if err := json.Unmarshal(req.Request, &b); err != nil {
		return provider.Answer{Outcome: provider.OutcomeRefused, Error: provider.Errorf(provider.KindInvalid, "%w", err)}
	}
	if req.CheckOnly {
		return provider.Answer{Outcome: provider.OutcomeUnsent}
	}
	answer := provider.Answer{Error: errPlugin}
	if p.by.dead.Load() {
		return answer
	}
	w := p.w
	deadline, _ := ctx.Deadline()
	w.park(p.by, "start "+b.String(), func() bool {
		t := w.current
		if w.crashes(p.by, "before the send") {
			return true
		}
		if !deadline.IsZero() && w.rolls(w.faults.sends/20) && !w.without["plugin signs late"] {
			p.stall(t, b, req.Request, deadline)
			return false
		}
		r := w.sign(p.by, b, w.disk.intentOf(b, digest(req.Request)), false)
		tell := func(after time.Duration, given provider.Answer) {
			at := time.Now().Add(after)
			if !deadline.IsZero() && at.After(deadline) {
				w.fault("answer after the deadline")
				at, given = deadline, provider.Answer{Error: errTimeout}
			}
			w.at(at, p.by.name+" hears of "+r.String(), func() {
				if t.over || w.crashes(p.by, "before the answer is read") {
					return
				}
				answer, r.told = given, given.Outcome
				w.note(p.by.name+" is told", answerWord(given.Outcome)+reason(given.Error))
				w.tell(p.by.name, "is told of r%d: %s%s", r.serial, answerWord(given.Outcome), reason(given.Error))
				w.finish(t)
			})
		}
		w.send(r, tell)
		_ = w.crashes(p.by, "with the request sent")
		return false
	})
	return answer
}

// stall is a plugin that fetches a token or waits for a connection before it
// signs, at worst beyond the moment at which the engine gave it up.
func (p *plugin) stall(t *ticket, b body, raw []byte, deadline time.Time) {
	w := p.w
	w.fault("plugin signs late")
	in := w.disk.intentOf(b, digest(raw))
	w.at(deadline, p.by.name+" gives up", func() { w.finish(t) })
	w.at(deadline.Add(w.between(-time.Minute, time.Minute)), p.by.name+" signs at last", func() {
		if p.by.dead.Load() || p.by.ended {
			return // and its plugin with it
		}
		r := w.sign(p.by, b, in, time.Now().After(deadline))
		w.send(r, func(time.Duration, provider.Answer) {})
	})
}

func reason(err *provider.Error) string {
	if err == nil {
		return ""
	}
	return " " + err.Message
}

// sign makes the request known to the cloud's log, and judges that it may be
// sent at all.
func (w *world) sign(by *process, b body, in *journal.Intent, late bool) *request {
	c := w.cloud
	now := time.Now()
	r := &request{serial: len(c.requests) + 1, body: b, by: by, intent: in, signed: now, late: late}
	r.limit = now.Add(w.windowOf(b) + c.skew)
	if r.intent != nil {
		r.base = r.intent.Base
	}
	if by.naive {
		r.base = by.base
	}
	w.note(by.name+" sends "+r.String(), "")
	w.tell(by.name, "sends %s", r.words())
	w.maySend(by, r)
	c.requests = append(c.requests, r)
	return r
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// intentOf finds the open intent of a request, as the platter has it.
func (d *disk) intentOf(b body, digest string) *journal.Intent {
	for _, p := range d.synced {
		if p.in.RequestDigest == digest && p.in.ClusterID == b.Cluster && (b.Op != provider.OpCreate || p.in.Name == b.Name) {
			return p.in
		}
	}
	return nil
}

// honest is what a plugin makes of the cloud's answer. A nonce that was seen
// means that another copy of this very request arrived first, and may have been
// taken: that is no refusal.
func honest(a provider.Answer) provider.Answer {
	if a.Outcome == provider.OutcomeRefused && a.Error.Code == nonceUsed {
		a.Outcome = provider.OutcomeUnknown
	}
	return a
}

// send is the network between the plugin and the cloud.
func (w *world) send(r *request, tell func(after time.Duration, given provider.Answer)) {
	c := w.cloud
	lost := func(err *provider.Error) provider.Answer { return provider.Answer{Error: err, At: c.now()} }
	refuse := func(err *provider.Error) {
		r.state = refused
		tell(w.trip(), provider.Answer{Outcome: provider.OutcomeRefused, Error: err, At: c.now()})
	}
	deliver := func(after time.Duration, back func(provider.Answer)) {
		w.in(after, "the cloud gets "+r.String(), func() {
			answer := c.take(r)
			w.note("the cloud says", answerWord(answer.Outcome)+reason(answer.Error))
			w.tell("cloud", "gets r%d: %s%s", r.serial, answerWord(answer.Outcome), reason(answer.Error))
			if r == w.second && r.state == working {
				w.tell("", "%s: what r%d buys was bought before", doubleBuy, r.serial)
			}
			if back != nil {
				back(answer)
			}
		})
	}
	if w.rolls(w.faults.duplicate) {
		w.fault("request duplicated")
		w.tell("fault", "r%d: a second copy is under way", r.serial)
		behind := w.between(time.Second, 3*w.windowOf(r.body))
		if w.rolls(0.2) { // so close that the copy may come first
			behind = w.between(0, time.Second)
		}
		defer deliver(behind, nil)
	}
	kind := ""
	if w.rolls(w.faults.sends) {
		kind = sendFaults[w.luck.IntN(len(sendFaults))]
	}
	if kind == "" || w.without[kind] {
		deliver(w.trip(), func(a provider.Answer) { tell(w.trip(), honest(a)) })
		return
	}
	w.fault(kind)
	w.tell("fault", "r%d: %s", r.serial, kind)
	switch kind {
	case "request unsent":
		r.state = refused
		tell(w.trip(), provider.Answer{Outcome: provider.OutcomeUnsent, Error: provider.Errorf(provider.KindUnavailable, "connection refused")})
	case "request lost":
		tell(w.between(time.Second, 100*time.Second), lost(errTimeout))
	case "request held":
		held := w.between(time.Second, w.windowOf(r.body)*5/4)
		if w.rolls(0.3) { // to the last moment, or just beyond it
			held = max(0, time.Until(r.limit)+w.between(-50*time.Millisecond, 10*time.Millisecond))
		}
		deliver(held, nil)
		tell(w.between(100*time.Millisecond, 40*time.Second), lost(errReset))
	case "answer lost":
		deliver(w.trip(), func(provider.Answer) { tell(w.trip(), lost(errReset)) })
	case "5xx before":
		tell(w.trip(), lost(errDown))
	case "5xx after":
		deliver(w.trip(), func(provider.Answer) { tell(w.trip(), lost(errDown)) })
	case "throttled or refused":
		refuse([]*provider.Error{errThrottled, errDenied, {Kind: provider.KindQuota, Code: "Quota", Message: "over quota"}}[w.luck.IntN(3)])
	case "plugin dies in the call":
		if w.rolls(0.6) {
			deliver(w.trip(), nil)
		}
		tell(w.trip(), provider.Answer{Error: errPlugin})
	}
}

// sendFaults are drawn alike; what is hardest stands here twice.
var sendFaults = []string{
	"request unsent", "request lost", "request held", "request held", "answer lost", "answer lost",
	"5xx before", "5xx after", "throttled or refused", "plugin dies in the call",
}
