package huaweisim_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
)

const (
	project   = "0123456789abcdef0123456789abcdef"
	analytics = "00000000-0000-4000-8000-000000000001"
	infos     = "/v1.1/" + project + "/cluster_infos"
	hosts     = "/v1.1/" + project + "/clusters/" + analytics + "/hosts"
	jobTime   = 8 * time.Minute
)

// sim is a simulator with a clock that only the test moves.
type sim struct {
	t      *testing.T
	server *cloudsim.Server
	now    time.Time
}

func newSim(t *testing.T, state string, change ...func(*cloudsim.Options)) *sim {
	t.Helper()
	s := &sim{t: t, now: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)}
	opts := cloudsim.Options{Now: func() time.Time { return s.now }, JobTime: jobTime, History: 50}
	for _, f := range change {
		f(&opts)
	}
	s.server = huaweisim.New(opts)
	s.restore(state)
	return s
}

func (s *sim) restore(state string) {
	s.t.Helper()
	var err error
	s.server.Cloud(func(c cloudsim.Cloud) { err = c.Restore([]byte(state)) })
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *sim) state() string {
	s.t.Helper()
	var (
		b   []byte
		err error
	)
	s.server.Cloud(func(c cloudsim.Cloud) { b, err = c.State() })
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

func (s *sim) pass(d time.Duration) { s.now = s.now.Add(d) }

func (s *sim) inject(f cloudsim.Fault) {
	s.t.Helper()
	if err := s.server.Inject(f); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sim) drift(d cloudsim.Drift) error {
	var err error
	s.server.Cloud(func(c cloudsim.Cloud) { err = c.Drift(d) })
	return err
}

// reply is an answer; dropped when the connection was closed without one.
type reply struct {
	status  int
	header  http.Header
	body    string
	dropped bool
}

func (r reply) code(t *testing.T) string {
	t.Helper()
	if r.status == http.StatusOK {
		return ""
	}
	var e struct {
		Code string `json:"error_code"`
		Msg  string `json:"error_msg"`
	}
	if err := json.Unmarshal([]byte(r.body), &e); err != nil || e.Code == "" || e.Msg == "" {
		t.Fatalf("status %d with no error envelope: %s", r.status, r.body)
	}
	return e.Code
}

func decode[T any](t *testing.T, r reply) T {
	t.Helper()
	var v T
	if r.status != http.StatusOK {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return v
}

// request makes a signed request; tweak, if any, spoils it afterwards.
func (s *sim) request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, "http://127.0.0.1:8081"+target, strings.NewReader(body))
	r.Header.Set("X-Project-Id", project)
	sign(r, body, huaweisim.AccessKeyID, huaweisim.SecretKey, s.now, "host", "x-project-id", "x-sdk-date")
	return r
}

func (s *sim) send(r *http.Request) (got reply) {
	rec := httptest.NewRecorder()
	defer func() {
		if p := recover(); p != nil {
			err, ok := p.(error)
			if !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			got = reply{dropped: true}
		}
	}()
	s.server.ServeHTTP(rec, r)
	return reply{status: rec.Code, header: rec.Header(), body: rec.Body.String()}
}

func (s *sim) get(target string) reply { return s.send(s.request("GET", target, "")) }
func (s *sim) put(cluster, body string) reply {
	return s.send(s.request("PUT", infos+"/"+cluster, body))
}

// resize is the body of a resize with what the document requires.
func resize(scaleType, group string, n int, more ...string) string {
	fields := append([]string{
		`"scale_type":"` + scaleType + `"`, `"node_id":"node_orderadd"`,
		`"node_group":"` + group + `_node_default_group"`, `"instances":"` + strconv.Itoa(n) + `"`,
	}, more...)
	return `{"parameters":{` + strings.Join(fields, ",") + `}}`
}

type groupView struct {
	GroupName, NodeSize, DataVolumeType      string
	NodeNum, DataVolumeCount, DataVolumeSize int
}

type clusterView struct {
	ClusterID, ClusterName, MasterNodeNum, CoreNodeNum, TotalNodeNum string
	ClusterState, Scale, StageDesc, ErrorInfo, UpdateAt              string
	NodeGroups, TaskNodeGroups                                       []groupView
}

func (s *sim) detail(cluster string) clusterView {
	s.t.Helper()
	return decode[struct{ Cluster clusterView }](s.t, s.get(infos+"/"+cluster)).Cluster
}

type hostView struct {
	ID         string
	ResourceID string `json:"resource_id"`
	Name, Type string
	Group      string `json:"node_group_name"`
	CPU, Mem   string
	Status     string
}

func (s *sim) hosts(cluster string) []hostView {
	s.t.Helper()
	path := "/v1.1/" + project + "/clusters/" + cluster + "/hosts?pageSize=1000"
	return decode[struct{ Hosts []hostView }](s.t, s.get(path)).Hosts
}

// sign is the test's own signer, written from "API Gateway, AK/SK signing".
func sign(r *http.Request, body, ak, sk string, at time.Time, names ...string) {
	date := at.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Sdk-Date", date)
	var b bytes.Buffer
	b.WriteString(r.Method + "\n")
	for _, part := range strings.Split(strings.Trim(r.URL.Path, "/"), "/") {
		b.WriteString("/" + quote(part))
	}
	b.WriteString("/\n")
	var pairs []string
	for name, values := range r.URL.Query() {
		for _, v := range values {
			pairs = append(pairs, quote(name)+"="+quote(v))
		}
	}
	sort.Strings(pairs)
	b.WriteString(strings.Join(pairs, "&") + "\n")
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		b.WriteString(name + ":" + value + "\n")
	}
	b.WriteString("\n" + strings.Join(names, ";") + "\n")
	digest := sha256.Sum256([]byte(body))
	b.WriteString(hex.EncodeToString(digest[:]))

	request := sha256.Sum256(b.Bytes())
	mac := hmac.New(sha256.New, []byte(sk))
	mac.Write([]byte("SDK-HMAC-SHA256\n" + date + "\n" + hex.EncodeToString(request[:])))
	authorize(r, ak, strings.Join(names, ";"), hex.EncodeToString(mac.Sum(nil)))
}

func authorize(r *http.Request, ak, names, signature string) {
	r.Header.Set("Authorization", "SDK-HMAC-SHA256 Access="+ak+", SignedHeaders="+names+", Signature="+signature)
}

func quote(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "%7E", "~")
}
