package rpc

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// crossing sends a value through one call and returns what came out on the
// other side.
type crossing func(t *testing.T, in any) any

var crossings = []struct {
	name string
	zero any
	send crossing
}{
	{"description", provider.Description{}, func(t *testing.T, in any) any {
		d := in.(provider.Description)
		got, err := connect(t, &script{describe: func(context.Context) (*provider.Description, error) { return &d, nil }}).Describe(context.Background())
		noError(t, err)
		return *got
	}},
	{"config", provider.Config{}, func(t *testing.T, in any) (got any) {
		p := connect(t, &script{configure: func(_ context.Context, c provider.Config) error { got = c; return nil }})
		noError(t, p.Configure(context.Background(), in.(provider.Config)))
		return got
	}},
	{"error", provider.Error{}, func(t *testing.T, in any) any {
		e := in.(provider.Error)
		p := connect(t, &script{configure: func(context.Context, provider.Config) error { return &e }})
		return *(p.Configure(context.Background(), provider.Config{}).(*provider.Error))
	}},
	{"observe request", provider.ObserveRequest{}, func(t *testing.T, in any) (got any) {
		p := connect(t, &script{observe: func(_ context.Context, r provider.ObserveRequest, yield func(provider.Observation) error) error {
			got = r
			for _, k := range r.Keys {
				noError(t, yield(provider.Observation{Address: k.Address}))
			}
			return nil
		}})
		noError(t, p.Observe(context.Background(), in.(provider.ObserveRequest), func(provider.Observation) error { return nil }))
		return got
	}},
	{"observation", provider.Observation{}, func(t *testing.T, in any) (got any) {
		o := in.(provider.Observation)
		var keys []provider.Key
		if o.Address != "" {
			keys = []provider.Key{{Address: o.Address}}
			o.Presence = provider.Present // the only one that has a cluster
		}
		p := connect(t, &script{observe: func(_ context.Context, _ provider.ObserveRequest, yield func(provider.Observation) error) error {
			return yield(o)
		}})
		noError(t, p.Observe(context.Background(), provider.ObserveRequest{Keys: keys}, func(o provider.Observation) error {
			if o.Presence == provider.Present {
				o.Presence = in.(provider.Observation).Presence
			}
			got = o
			return nil
		}))
		return got
	}},
	{"plan request", provider.PlanRequest{}, func(t *testing.T, in any) (got any) {
		p := connect(t, &script{plan: func(_ context.Context, r provider.PlanRequest) (provider.PlanResponse, error) {
			got = r
			return provider.PlanResponse{Clusters: make([]provider.ClusterPlan, len(r.Clusters))}, nil
		}})
		_, err := p.Plan(context.Background(), in.(provider.PlanRequest))
		noError(t, err)
		return got
	}},
	{"plan response", provider.PlanResponse{}, func(t *testing.T, in any) any {
		want := in.(provider.PlanResponse)
		p := connect(t, &script{plan: func(context.Context, provider.PlanRequest) (provider.PlanResponse, error) { return want, nil }})
		got, err := p.Plan(context.Background(), provider.PlanRequest{Clusters: make([]provider.ClusterChange, len(want.Clusters))})
		noError(t, err)
		return got
	}},
	{"start request", provider.StartRequest{}, func(t *testing.T, in any) (got any) {
		p := connect(t, &script{start: func(_ context.Context, r provider.StartRequest) provider.Answer { got = r; return provider.Answer{} }})
		p.Start(context.Background(), in.(provider.StartRequest))
		return got
	}},
	{"answer", provider.Answer{}, func(t *testing.T, in any) any {
		p := connect(t, &script{start: func(context.Context, provider.StartRequest) provider.Answer { return in.(provider.Answer) }})
		return p.Start(context.Background(), provider.StartRequest{})
	}},
	{"operation", provider.Operation{}, func(t *testing.T, in any) (got any) {
		p := connect(t, &script{poll: func(_ context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
			got = ops[0]
			return make([]provider.OperationStatus, 1), nil
		}})
		_, err := p.Poll(context.Background(), []provider.Operation{in.(provider.Operation)})
		noError(t, err)
		return got
	}},
	{"operation status", provider.OperationStatus{}, func(t *testing.T, in any) any {
		p := connect(t, &script{poll: func(context.Context, []provider.Operation) ([]provider.OperationStatus, error) {
			return []provider.OperationStatus{in.(provider.OperationStatus)}, nil
		}})
		got, err := p.Poll(context.Background(), make([]provider.Operation, 1))
		noError(t, err)
		return got[0]
	}},
	{"price", provider.Price{}, func(t *testing.T, in any) any {
		p := connect(t, &script{quote: func(_ context.Context, r []byte) (provider.Price, error) {
			if string(r) != "request \xff" {
				t.Errorf("quote got request %q", r)
			}
			return in.(provider.Price), nil
		}})
		got, err := p.(provider.Quoter).Quote(context.Background(), []byte("request \xff"))
		noError(t, err)
		return got
	}},
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRoundTrip sends every struct of the contract, with every field set and
// with none, through a real connection. A field that one end forgets is zero
// on arrival. The rounds turn through the enums' and the JSON values' kinds.
func TestRoundTrip(t *testing.T) {
	for _, c := range crossings {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.zero, c.send(t, c.zero)); diff != "" {
				t.Errorf("zero value changed (-sent +received):\n%s", diff)
			}
			for round := range 9 {
				full := reflect.New(reflect.TypeOf(c.zero)).Elem()
				f := filler{n: round, text: func(n int) string { return fmt.Sprintf("text %d 节点", n) }}
				f.fill(t, full)
				if diff := cmp.Diff(full.Interface(), c.send(t, full.Interface())); diff != "" {
					t.Fatalf("round %d changed (-sent +received):\n%s", round, diff)
				}
			}
		})
	}
}

// A cloud's words in another encoding must not fail the call that carries them.
func TestTextThatIsNotUTF8(t *testing.T) {
	for _, c := range crossings {
		t.Run(c.name, func(t *testing.T) {
			full := reflect.New(reflect.TypeOf(c.zero)).Elem()
			f := filler{text: func(n int) string { return fmt.Sprintf("\xbd\xda\xb5\xe3 %d", n) }}
			f.fill(t, full)
			// Addresses and keys come from CUE, which holds UTF-8 only.
			switch v := full.Addr().Interface().(type) {
			case *provider.Observation:
				v.Address = "a"
			case *provider.ObserveRequest:
				v.Keys = nil
			}
			c.send(t, full.Interface())
		})
	}
}

// Every exported struct of the contract must stand in some crossing.
func TestRoundTripCoversTheWire(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		if seen[t] {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice:
			visit(t.Elem())
		case reflect.Map:
			visit(t.Key())
			visit(t.Elem())
		case reflect.Struct:
			for i := range t.NumField() {
				visit(t.Field(i).Type)
			}
		}
	}
	for _, c := range crossings {
		visit(reflect.TypeOf(c.zero))
	}
	// What the methods of the contract take and return.
	for _, iface := range []reflect.Type{reflect.TypeFor[provider.Provider](), reflect.TypeFor[provider.Quoter]()} {
		for i := range iface.NumMethod() {
			m := iface.Method(i).Type
			for j := range m.NumIn() {
				reached(t, seen, m.In(j))
			}
			for j := range m.NumOut() {
				reached(t, seen, m.Out(j))
			}
		}
	}
}

func reached(t *testing.T, seen map[reflect.Type]bool, at reflect.Type) {
	switch at.Kind() {
	case reflect.Pointer, reflect.Slice:
		reached(t, seen, at.Elem())
	case reflect.Func:
		for i := range at.NumIn() {
			reached(t, seen, at.In(i))
		}
	case reflect.Struct:
		if !seen[at] {
			t.Errorf("%s crosses the wire in no round trip", at)
		}
	}
}
