package providertest

import (
	"context"
	"encoding/json"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Options are what the suite must know of a provider's cloud. Config alone is
// required; what else is missing skips the rules that need it.
//
// Credentials and secrets should be words that occur nowhere else: the suite
// looks for them in everything that the provider returns or prints.
type Options struct {
	// Config reaches a working endpoint with credentials that it takes.
	Config provider.Config
	// Unauthorized reaches the same endpoint with well-formed credentials that
	// it does not take.
	Unauthorized *provider.Config
	// Malformed are settings that Configure must refuse, beside those that the
	// suite makes from Config.
	Malformed []json.RawMessage

	// Present are keys of live clusters at rest, by id and by name. Absent are
	// well-formed keys that no cluster answers to. Unreadable are keys of live
	// clusters whose reads the cloud fails, while others can be read.
	Present, Absent, Unreadable []provider.Key

	// Scenarios are changes to plan. Those with actions are also sent and
	// followed, last of all and in order: leave them out for an account that
	// must stay as it is.
	Scenarios []Scenario
	// Wait is called while something that was sent goes on; a test with a
	// clock of its own moves it here. Default: one second.
	Wait func(context.Context) error

	// Down is an endpoint that nobody listens on, Cut one that reads every
	// request and closes the connection, Stalled one that reads every request
	// and never answers. By default the suite makes all three for HTTP,
	// on loopback, out of Config.
	Down, Cut, Stalled *Endpoint
	// Garbled are endpoints that answer every request, but not as the cloud
	// does: a proxy's pages of several statuses, empty and broken-off answers,
	// a redirection. By default the suite makes them as it does the others.
	Garbled []*Endpoint

	// Output is what the provider has printed so far. Run adds what the test's
	// own process prints.
	Output func() string

	// Skips are the rules that are expected not to apply: any other skip fails
	// Run. Nil permits all.
	Skips []string

	Repeat  int           // how often a call is repeated to prove that it may be; default 3
	Soon    time.Duration // how soon a cancelled call must be back; default 5 s
	Timeout time.Duration // for one rule; default 1 min
}

// Endpoint is an endpoint that misbehaves.
type Endpoint struct {
	Name   string // for messages
	Config provider.Config
	// Requests is how many whole requests have come in.
	Requests func() int
}

// Scenario is one cluster that differs from what is live.
type Scenario struct {
	Name     string
	Desired  provider.Desired
	Changes  []provider.Change // as the engine would find them
	Meanings provider.Meanings

	// Actions are what Plan must answer, in order. All fields that they do not
	// settle must be blocked.
	Actions []Expected
	// Secrets are values for every path that the actions name. BadSecrets are
	// sets of values of which Start must refuse each.
	Secrets    map[string]string
	BadSecrets []map[string]string
}

// Expected is an action without what only its provider can know.
type Expected struct {
	Group    string
	Op       provider.Op
	From, To map[string]int64
	Removes  int // how many nodes it names
}

func (o Options) withDefaults() Options {
	if o.Repeat <= 0 {
		o.Repeat = 3
	}
	if o.Soon <= 0 {
		o.Soon = 5 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.Wait == nil {
		o.Wait = func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
				return nil
			}
		}
	}
	return o
}
