package qingcloud

import (
	"context"
	"net/http"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

func TestPoll(t *testing.T) {
	tests := []struct {
		name   string
		handle string
		log    http.HandlerFunc
		state  provider.OperationState
		kind   provider.ErrorKind
		failed bool
	}{
		{"pending", `{"job_id":"j-1"}`, jobs(jobJSON("j-1", "HpcClusterCreateCluster", "ehpc-1 cl-1", "pending")), provider.OperationRunning, "", false},
		{"working", `{"job_id":"j-1"}`, jobs(jobJSON("j-1", "HpcClusterCreateCluster", "ehpc-1", "working")), provider.OperationRunning, "", false},
		{"successful", `{"job_id":"j-1"}`, jobs(jobJSON("j-1", "HpcClusterCreateCluster", "ehpc-1", "successful")), provider.OperationSucceeded, "", false},
		{"failed", `{"job_id":"j-1"}`, jobs(jobJSON("j-1", "HpcClusterCreateCluster", "ehpc-1", "failed")), provider.OperationFailed, "", true},
		{"done with failure", `{"job_id":"j-1"}`, jobs(jobJSON("j-1", "HpcClusterCreateCluster", "ehpc-1", "done with failure")), provider.OperationFailed, "", true},
		{"unknown word", `{"job_id":"j-1"}`, jobs(jobJSON("j-1", "HpcClusterCreateCluster", "ehpc-1", "paused")), provider.OperationRunning, "", false},
		{"not in the log", `{"job_id":"j-1"}`, jobs(), provider.OperationUnknown, provider.KindNotFound, true},
		{"filter ignored", `{"job_id":"j-1"}`, jobs(jobJSON("j-2", "x", "ehpc-1", "failed")), provider.OperationUnknown, provider.KindNotFound, true},
		{"cannot be read", `{"job_id":"j-1"}`, says(200, `{"ret_code":1400}`), provider.OperationUnknown, provider.KindDenied, true},
		{"bad handle", `x`, jobs(), provider.OperationUnknown, provider.KindInvalid, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{routes: map[string]http.HandlerFunc{pathJobs: tt.log}}
			got, err := f.start(t).Poll(context.Background(), []provider.Operation{{Handle: []byte(tt.handle)}})
			if err != nil {
				t.Fatal(err)
			}
			s := got[0]
			if s.State != tt.state || (s.Error != nil) != tt.failed || s.Error != nil && s.Error.Kind != tt.kind {
				t.Errorf("got %+v, %v", s, s.Error)
			}
			if s.State == provider.OperationFailed && s.Error.Code != "5200" {
				t.Errorf("code %q", s.Error.Code)
			}
			if s.State != provider.OperationUnknown && (s.ClusterID != "ehpc-1" || s.At != testNow || s.Progress == "") {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestPollKeepsOrder(t *testing.T) {
	f := &fake{routes: map[string]http.HandlerFunc{pathJobs: jobs(
		jobJSON("j-1", "x", "ehpc-1", "pending"), jobJSON("j-2", "x", "ehpc-2", "successful"), jobJSON("j-3", "x", "ehpc-3", "failed"))}}
	var ops []provider.Operation
	for _, job := range []string{"j-3", "j-1", "j-2"} {
		ops = append(ops, provider.Operation{Handle: handle{Job: job}.bytes()})
	}
	got, err := f.start(t).Poll(context.Background(), ops)
	if err != nil || got[0].State != provider.OperationFailed || got[1].State != provider.OperationRunning || got[2].State != provider.OperationSucceeded {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestQuote(t *testing.T) {
	tests := []struct {
		name, answer string
		want         float64
		kind         provider.ErrorKind
		fails        bool
	}{
		{"price", `{"ret_code":0,"price":312.5}`, 312.5, "", false},
		{"refund", `{"ret_code":0,"price":"-20.1"}`, -20.1, "", false},
		{"none", `{"ret_code":0}`, 0, provider.KindInternal, true},
		{"a list", `{"ret_code":0,"price":[1]}`, 0, provider.KindInternal, true},
		{"not a number", `{"ret_code":0,"price":"NaN"}`, 0, provider.KindInternal, true},
		{"refused", `{"ret_code":2100}`, 0, provider.KindNotFound, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{routes: map[string]http.HandlerFunc{"/api/cluster/resizeClusterFee": says(200, tt.answer)}}
			got, err := f.start(t).Quote(context.Background(), resizeRequest())
			if (err != nil) != tt.fails || err != nil && provider.AsError(err).Kind != tt.kind {
				t.Fatalf("got %v", err)
			}
			if !tt.fails && got != (provider.Price{Amount: tt.want, Currency: "CNY"}) {
				t.Errorf("got %+v", got)
			}
			if f.received()[0].Method != "GET" {
				t.Errorf("a quote is a %s", f.received()[0].Method)
			}
		})
	}
	p := configure(t, "http://127.0.0.1:1")
	if _, err := p.Quote(context.Background(), createRequestOf(t, p).Request); provider.AsError(err).Kind != provider.KindUnsupported {
		t.Errorf("a create: %v", err)
	}
}
