package rpc

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// used notes every wire field that carried a value in this process's tests.
var used fields

type fields struct {
	mu   sync.Mutex
	seen map[protoreflect.FullName]bool
}

func (f *fields) note(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		f.seen[fd.FullName()] = true
		switch {
		case fd.IsList() && fd.Message() != nil:
			for i := range v.List().Len() {
				f.note(v.List().Get(i).Message())
			}
		case fd.Message() != nil && !fd.IsMap():
			f.note(v.Message())
		}
		return true
	})
}

func (f *fields) HandleRPC(_ context.Context, s stats.RPCStats) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen = map[protoreflect.FullName]bool{}
	}
	switch s := s.(type) {
	case *stats.InPayload:
		f.note(s.Payload.(proto.Message).ProtoReflect())
	case *stats.OutPayload:
		f.note(s.Payload.(proto.Message).ProtoReflect())
	}
}

func (f *fields) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (f *fields) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (f *fields) HandleConn(context.Context, stats.ConnStats)                       {}

// A field of provider.proto that no conversion fills is as wrong as a field of
// the contract that none carries.
func TestEveryWireFieldIsUsed(t *testing.T) {
	for _, c := range crossings {
		full := reflect.New(reflect.TypeOf(c.zero)).Elem()
		f := filler{text: func(n int) string { return fmt.Sprint(n) }}
		f.fill(t, full)
		c.send(t, full.Interface())
	}
	refusing := provider.Errorf(provider.KindDenied, "no")
	p := connect(t, &script{
		plan: func(context.Context, provider.PlanRequest) (provider.PlanResponse, error) {
			return provider.PlanResponse{}, refusing
		},
		observe: func(context.Context, provider.ObserveRequest, func(provider.Observation) error) error {
			return refusing
		},
		poll: func(context.Context, []provider.Operation) ([]provider.OperationStatus, error) {
			return nil, refusing
		},
		quote: func(context.Context, []byte) (provider.Price, error) { return provider.Price{}, refusing },
	})
	_, planErr := p.Plan(context.Background(), provider.PlanRequest{})
	_, pollErr := p.Poll(context.Background(), nil)
	_, quoteErr := p.(provider.Quoter).Quote(context.Background(), nil)
	observeErr := p.Observe(context.Background(), provider.ObserveRequest{}, nil)
	described := &server{provider: &script{describe: func(context.Context) (*provider.Description, error) { return nil, refusing }}}
	conn := dial(t, func(s *grpc.Server) { wire.RegisterProviderServer(s, described) })
	_, _, describeErr := Connect(context.Background(), "fake", conn)
	for _, err := range []error{planErr, pollErr, quoteErr, observeErr, describeErr} {
		if diff := cmp.Diff(error(refusing), err); diff != "" {
			t.Error(diff)
		}
	}

	used.mu.Lock()
	defer used.mu.Unlock()
	messages := wire.File_provider_proto.Messages()
	for i := range messages.Len() {
		all := messages.Get(i).Fields()
		for j := range all.Len() {
			if name := all.Get(j).FullName(); !used.seen[name] {
				t.Errorf("%s is never filled", name)
			}
		}
	}
}
