package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// watched passes a server's stream on and notes the size of every message.
type watched struct {
	grpc.ServerStream
	note func(items int, bytes int)
}

func (w *watched) SendMsg(m any) error {
	switch m := m.(type) {
	case *wire.ObserveResponse:
		w.note(len(m.GetObservations()), proto.Size(m))
	case *wire.PlanResponse:
		w.note(len(m.GetClusters()), proto.Size(m))
	}
	return w.ServerStream.SendMsg(m)
}

// TestBatches sends more than fits into one message, small and large items,
// and holds every message against the limits.
func TestBatches(t *testing.T) {
	for _, test := range []struct{ items, bytes int }{{1000, 10}, {300, 20 << 10}, {5, 3 << 20}, {40, provider.MaxBatchBytes / 2}, {0, 0}} {
		t.Run(fmt.Sprintf("%d of %d bytes", test.items, test.bytes), func(t *testing.T) {
			text := strings.Repeat("x", test.bytes)
			send := func(_ context.Context, _ provider.ObserveRequest, yield func(provider.Observation) error) error {
				for range test.items {
					if err := yield(provider.Observation{Presence: provider.Present, Cluster: &provider.State{StatusText: text}}); err != nil {
						return err
					}
				}
				return nil
			}
			plan := func(_ context.Context, r provider.PlanRequest) (provider.PlanResponse, error) {
				out := provider.PlanResponse{Clusters: make([]provider.ClusterPlan, len(r.Clusters))}
				for i, c := range r.Clusters {
					out.Clusters[i].Warnings = []string{string(c.Desired.Spec), text}
				}
				return out, nil
			}
			srv := &server{provider: &script{observe: send, plan: plan}}
			messages := 0
			conn := dial(t, func(s *grpc.Server) {
				desc := wire.Provider_ServiceDesc
				streams := append([]grpc.StreamDesc(nil), desc.Streams...)
				for i := range streams {
					next := streams[i].Handler
					streams[i].Handler = func(srv any, stream grpc.ServerStream) error {
						return next(srv, &watched{stream, func(items, size int) {
							messages++
							if items > provider.MaxBatchItems {
								t.Errorf("a message has %d items", items)
							}
							if items > 1 && size > provider.MaxBatchBytes {
								t.Errorf("a message of %d items has %d bytes", items, size)
							}
						}})
					}
				}
				desc.Streams = streams
				s.RegisterService(&desc, srv)
			})
			p, _, err := Connect(context.Background(), "fake", conn)
			noError(t, err)
			got := 0
			noError(t, p.Observe(context.Background(), provider.ObserveRequest{}, func(o provider.Observation) error {
				got++
				if o.Cluster.StatusText != text {
					t.Error("an observation changed")
				}
				return nil
			}))
			if got != test.items {
				t.Errorf("%d of %d observations arrived", got, test.items)
			}
			var req provider.PlanRequest
			for i := range test.items {
				req.Clusters = append(req.Clusters, provider.ClusterChange{
					Desired: provider.Desired{Spec: fmt.Appendf(nil, "%d", i)}, Current: &provider.State{StatusText: text},
				})
			}
			messages = 0
			out, err := p.Plan(context.Background(), req)
			noError(t, err)
			for i, c := range out.Clusters {
				if c.Warnings[0] != fmt.Sprint(i) {
					t.Fatalf("plan %d answers cluster %s", i, c.Warnings[0])
				}
			}
			if least := 1 + test.items*test.bytes/(provider.MaxBatchBytes*4); messages < least {
				t.Errorf("the plan came in %d messages", messages)
			}
		})
	}
}

// One cluster that is too large, or whose task has a handle too long, is
// unread; the others arrive.
func TestOneObservationBreaksTheLimits(t *testing.T) {
	big := provider.Observation{Address: "big", Presence: provider.Present, Cluster: &provider.State{Attributes: bytes.Repeat([]byte("x"), provider.MaxMessage)}}
	long := provider.Observation{Address: "long", Presence: provider.Present, Cluster: &provider.State{Tasks: []provider.Task{{ID: "t1", Handle: make([]byte, provider.MaxHandle+1)}}}}
	good := provider.Observation{Address: "good", Presence: provider.Absent}
	want := map[string]string{
		"big":  "the contract is broken: the observation has 16777233 bytes, over the limit of 16777216 for one message",
		"long": "the contract is broken: task t1: an operation handle of 4097 bytes is over the limit of 4096",
		"good": "",
	}
	p := connect(t, &script{observe: func(_ context.Context, _ provider.ObserveRequest, yield func(provider.Observation) error) error {
		return errors.Join(yield(big), yield(long), yield(good))
	}})
	keys := []provider.Key{{Address: "big"}, {Address: "long"}, {Address: "good"}}
	noError(t, p.Observe(context.Background(), provider.ObserveRequest{Keys: keys}, func(o provider.Observation) error {
		text := ""
		if o.Error != nil {
			text = o.Error.Error()
		}
		if text != want[o.Address] {
			t.Errorf("%s: got %q, want %q", o.Address, text, want[o.Address])
		}
		if (text != "") != (o.Presence == provider.Unread) {
			t.Errorf("%s is %q", o.Address, o.Presence)
		}
		return nil
	}))

	t.Run("host's end", func(t *testing.T) {
		bad, err := toObservation(provider.Observation{Address: "long", Presence: provider.Present, Cluster: &provider.State{Tasks: make([]provider.Task, 1)}})
		noError(t, err)
		bad.Cluster.Tasks[0].Handle = long.Cluster.Tasks[0].Handle
		p, _ := connectRogue(t, &rogue{observe: sendAll(bad, &wire.Observation{Address: "good"})})
		n := 0
		noError(t, p.Observe(context.Background(), provider.ObserveRequest{Keys: keys[1:]}, func(o provider.Observation) error {
			n++
			if o.Address == "long" && (o.Presence != provider.Unread || o.Error == nil) {
				t.Errorf("got %+v", o)
			}
			return nil
		}))
		if n != 2 {
			t.Errorf("%d observations", n)
		}
	})
}

// Every other answer that is too large is an error in its place, and the
// connection lives on.
func TestOversizedAnswers(t *testing.T) {
	text := strings.Repeat("x", provider.MaxMessage)
	p := connect(t, &script{
		plan: func(context.Context, provider.PlanRequest) (provider.PlanResponse, error) {
			return provider.PlanResponse{Clusters: []provider.ClusterPlan{{Warnings: []string{text}}}}, nil
		},
		start: func(context.Context, provider.StartRequest) provider.Answer {
			return provider.Answer{Outcome: provider.OutcomeRefused, ClusterID: text}
		},
		poll: func(context.Context, []provider.Operation) ([]provider.OperationStatus, error) {
			return []provider.OperationStatus{{Progress: text}}, nil
		},
	})
	_, planErr := p.Plan(context.Background(), provider.PlanRequest{Clusters: make([]provider.ClusterChange, 1)})
	_, pollErr := p.Poll(context.Background(), make([]provider.Operation, 1))
	answer := p.Start(context.Background(), provider.StartRequest{})
	if answer.Outcome != provider.OutcomeUnknown {
		t.Errorf("an answer that did not fit became %q", answer.Outcome)
	}
	for _, err := range []error{planErr, pollErr, answer.Error} {
		if err == nil || !strings.Contains(err.Error(), "over the limit of 16777216 for one message") {
			t.Errorf("got %v", err)
		}
	}
	_, err := p.Poll(context.Background(), []provider.Operation{{Handle: make([]byte, provider.MaxHandle+1)}})
	if want := "plugin fake: poll: an operation handle of 4097 bytes is over the limit of 4096; nothing was sent"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// The plugin's own end does not let a handle out that is too long, nor lose
// that the change may have happened.
func TestServerRefusesLongHandle(t *testing.T) {
	srv := &server{provider: &script{start: func(context.Context, provider.StartRequest) provider.Answer {
		return provider.Answer{Outcome: provider.OutcomeAccepted, RequestID: "r1", Operation: provider.Operation{Handle: make([]byte, provider.MaxHandle+1)}}
	}}}
	conn := dial(t, func(s *grpc.Server) { wire.RegisterProviderServer(s, srv) })
	got, err := wire.NewProviderClient(conn).Start(context.Background(), &wire.StartRequest{})
	noError(t, err)
	if got.GetOutcome() != wire.Outcome_OUTCOME_UNKNOWN || got.GetRequestId() != "r1" || len(got.GetOperation().GetHandle()) > 0 || got.GetError() == nil {
		t.Errorf("got %v", got)
	}
	refused, err := wire.NewProviderClient(conn).Poll(context.Background(), &wire.PollRequest{
		Operations: []*wire.Operation{{Handle: make([]byte, provider.MaxHandle+1)}},
	})
	noError(t, err)
	if refused.GetError().GetKind() != wire.ErrorKind_ERROR_KIND_INVALID {
		t.Errorf("got %v", refused)
	}
}

func BenchmarkObserve(b *testing.B) {
	for _, clusters := range []int{10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprint(clusters), func(b *testing.B) {
			o := provider.Observation{Presence: provider.Present, Cluster: &provider.State{
				ID: "00000000-0000-4000-8000-000000000001", Name: "analytics", Kind: "mrs", Status: provider.StatusReady,
				Attributes: []byte(`{"version": "MRS 3.1.0", "type": 0, "vpc": "vpc-1", "subnet": "subnet-1"}`),
				Groups: []provider.Group{
					{Role: "core", Count: 5, Attributes: []byte(`{"node_size": "c3.4xlarge.2.linux.bigdata"}`)},
					{Role: "task", Count: 10, Attributes: []byte(`{"node_size": "c3.4xlarge.2.linux.bigdata"}`)},
				},
			}}
			for g := range o.Cluster.Groups {
				for n := range o.Cluster.Groups[g].Count {
					o.Cluster.Groups[g].Nodes = append(o.Cluster.Groups[g].Nodes, provider.Node{ID: fmt.Sprintf("node-%d-%d", g, n), Name: "node", Status: provider.StatusReady})
				}
			}
			p := connect(b, &script{observe: func(_ context.Context, _ provider.ObserveRequest, yield func(provider.Observation) error) error {
				for range clusters {
					if err := yield(o); err != nil {
						return err
					}
				}
				return nil
			}})
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				if err := p.Observe(context.Background(), provider.ObserveRequest{}, func(provider.Observation) error { n++; return nil }); err != nil || n != clusters {
					b.Fatalf("%d observations, %v", n, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*clusters), "ns/cluster")
		})
	}
}
