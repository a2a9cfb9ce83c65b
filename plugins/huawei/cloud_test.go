package huawei

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const (
	testAK      = "AKFAKE0000000001"
	testSK      = "secret-key-for-tests"
	testToken   = "token-for-tests"
	testProject = "0123456789abcdef0123456789abcdef"
	clusterA    = "00000000-0000-4000-8000-000000000001"
	clusterB    = "00000000-0000-4000-8000-000000000002"
)

var cloudTime = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// script is a scripted cloud: reply answers each request.
type script struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string // "GET /v1.1/…?query"
}

// cloud starts a scripted cloud and a provider that speaks to it.
func cloud(t *testing.T, reply func(w http.ResponseWriter, r *http.Request)) (*Provider, *script) {
	t.Helper()
	s := &script{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls = append(s.calls, r.Method+" "+r.URL.RequestURI())
		s.mu.Unlock()
		w.Header().Set("Date", cloudTime.Format(http.TimeFormat))
		w.Header().Set("X-Request-Id", "req-1")
		reply(w, r)
	}))
	t.Cleanup(s.Close)
	return configure(t, s.URL), s
}

func configure(t *testing.T, endpoint string) *Provider {
	t.Helper()
	p := NewWith(Options{Now: func() time.Time { return signedAt }, Jitter: func() float64 { return 0 }})
	err := p.Configure(t.Context(), provider.Config{
		Entry:    "p",
		Settings: provider.Raw(map[string]string{"plugin": "huawei", "region": "cn-north-4", "project_id": testProject}),
		Endpoint: endpoint,
		Credentials: map[string]string{
			credentialAK: testAK, credentialSK: testSK, credentialToken: testToken,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (s *script) made() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

// detailJSON is a cluster as the documents' examples write it: counts as
// strings, groups under the names that are read.
func detailJSON(id, name, state string, core, task int) string {
	return fmt.Sprintf(`{"clusterId":%q,"clusterName":%q,"clusterState":%q,"scale":"","stageDesc":null,"errorInfo":"",
	"clusterVersion":"MRS 3.1.0","clusterType":0,"billingType":"Metered","duration":"0","tags":"a=b",
	"masterNodeNum":"2","coreNodeNum":"%d","totalNodeNum":"%d",
	"nodeGroups":[{"groupName":"master_node_default_group","nodeNum":2},{"groupName":"core_node_analysis_group","nodeNum":%d},
		{"groupName":"task_node_analysis_group","nodeNum":%d}],
	"taskNodeGroups":[{"groupName":"task_node_default_group","nodeNum":%d,"nodeSize":"s3.xlarge.2.linux.bigdata",
		"dataVolumeType":"SAS","dataVolumeCount":2,"dataVolumeSize":200}]}`,
		id, name, state, core, 2+core+task, core, task, task)
}

func hostsJSON(total int, hosts ...string) string {
	return fmt.Sprintf(`{"total":"%d","hosts":[%s]}`, total, strings.Join(hosts, ","))
}

func hostJSON(id, name, kind string) string {
	return fmt.Sprintf(`{"id":%q,"name":%q,"status":"ACTIVE","type":%q,"flavor":"s3.xlarge.2.linux.bigdata",
	"data_volume_type":"SAS","data_volume_count":2,"data_volume_size":200}`, id, name, kind)
}

// tripper answers requests without a network, for tests in a bubble of
// testing/synctest.
type tripper func(*http.Request) (*http.Response, error)

func (t tripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// observe collects what Observe yields.
func observe(t *testing.T, p *Provider, level provider.Level, keys ...provider.Key) []provider.Observation {
	t.Helper()
	var all []provider.Observation
	err := p.Observe(t.Context(), provider.ObserveRequest{Level: level, Keys: keys}, func(o provider.Observation) error {
		all = append(all, o)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
