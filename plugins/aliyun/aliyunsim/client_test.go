package aliyunsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

const (
	secureID = "c00000000000000000000000000000001"
	edgeID   = "c00000000000000000000000000000002"
	password = "Hello1234!"
)

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bed is a simulator on loopback with a client that signs by itself.
type bed struct {
	t      *testing.T
	clock  *clock
	sim    *cloudsim.Server
	web    *httptest.Server
	client *http.Client
	nonces int
	key    string
	secret string
}

func newBed(t *testing.T, state []byte, opts cloudsim.Options) *bed {
	t.Helper()
	b := &bed{t: t, clock: &clock{now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}, key: AccessKeyID, secret: SecretKey}
	opts.Now = b.clock.Now
	b.sim = New(opts)
	b.restore(state)
	b.web = httptest.NewServer(b.sim)
	t.Cleanup(b.web.Close)
	// A kept connection that is dropped would be tried again by the client.
	b.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return b
}

func (b *bed) restore(state []byte) {
	b.t.Helper()
	var err error
	b.sim.Cloud(func(c cloudsim.Cloud) { err = c.Restore(state) })
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) inject(f cloudsim.Fault) {
	b.t.Helper()
	if err := b.sim.Inject(f); err != nil {
		b.t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
	err    error
}

// code is the error code of either envelope.
func (a answer) code() string {
	for _, name := range []string{"Code", "code"} {
		if s, ok := a.body[name].(string); ok {
			return s
		}
	}
	return ""
}

// request builds and signs a request; edit, if any, sees it before.
func (b *bed) request(method, action, target, body string, edit func(*http.Request)) *http.Request {
	b.t.Helper()
	r, err := http.NewRequest(method, b.web.URL+target, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	b.nonces++
	set := func(name, value string) { r.Header.Set(name, value) }
	set("Accept", "application/json")
	set("x-acs-action", action)
	set("x-acs-version", "2015-12-15")
	set("x-acs-date", b.clock.Now().UTC().Format("2006-01-02T15:04:05Z"))
	set("x-acs-signature-nonce", fmt.Sprintf("nonce-%d", b.nonces))
	sum := sha256.Sum256([]byte(body))
	set("x-acs-content-sha256", hex.EncodeToString(sum[:]))
	if method != http.MethodGet {
		set("Content-Type", "application/json; charset=utf-8")
	}
	if edit != nil {
		edit(r)
	}
	b.sign(r)
	return r
}

// sign is this test's own reading of the signature page.
func (b *bed) sign(r *http.Request) {
	canonical := map[string]string{"host": r.URL.Host}
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-acs-") || name == "content-type" {
			canonical[name] = values[0]
		}
	}
	names := slices.Sorted(maps.Keys(canonical))
	text := r.Method + "\n" + r.URL.EscapedPath() + "\n" + strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20") + "\n"
	for _, name := range names {
		text += name + ":" + canonical[name] + "\n"
	}
	body, err := r.GetBody()
	if err != nil {
		b.t.Fatal(err)
	}
	payload, err := io.ReadAll(body)
	if err != nil {
		b.t.Fatal(err)
	}
	sum := sha256.Sum256(payload)
	text += "\n" + strings.Join(names, ";") + "\n" + hex.EncodeToString(sum[:])
	sum = sha256.Sum256([]byte(text))
	mac := hmac.New(sha256.New, []byte(b.secret))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(sum[:])))
	r.Header.Set("Authorization", fmt.Sprintf("ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s",
		b.key, strings.Join(names, ";"), hex.EncodeToString(mac.Sum(nil))))
}

func (b *bed) send(r *http.Request) answer {
	res, err := b.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	a := answer{status: res.StatusCode, header: res.Header, raw: string(data), err: err}
	_ = json.Unmarshal(data, &a.body) // not every answer is JSON
	return a
}

func (b *bed) do(method, action, target, body string) answer {
	b.t.Helper()
	return b.send(b.request(method, action, target, body, nil))
}

func (b *bed) get(action, target string) answer {
	b.t.Helper()
	return b.do(http.MethodGet, action, target, "")
}

// scale sends a sound scale-out of n nodes, with changes to its members.
func (b *bed) scale(id string, n int, changes map[string]any) answer {
	b.t.Helper()
	return b.do(http.MethodPost, "ScaleOutCluster", "/api/v2/clusters/"+url.PathEscape(id), scaleBody(id, n, changes))
}

// absent takes a member out of a body.
type absent struct{}

// scaleBody is the page's example for the cluster's kind.
func scaleBody(id string, n int, changes map[string]any) string {
	body := map[string]any{
		"login_password": password, "worker_instance_charge_type": "PostPaid",
		"vswitch_ids": []string{"vsw-1"}, "worker_instance_types": []string{"ecs.ebmg5s.24xlarge"},
		"worker_system_disk_category": "cloud_efficiency", "worker_system_disk_size": 120,
		"worker_data_disk": true, "worker_data_disk_category": "cloud_efficiency", "worker_data_disk_size": 200,
		"tags": []any{}, "count": n, "disable_rollback": false,
	}
	if id == edgeID {
		body = map[string]any{
			"timeout_mins": 60, "worker_instance_type": "ens.sn1.tiny", "ens_region_id": "cn-beijing-telecom",
			"worker_image_id": "m-2QVLO2T8NYgm8CNQVg0001", "ens_internet_charge_type": "BandwidthByDay",
			"worker_period": 1, "worker_auto_renew": true, "worker_auto_renew_period": 1, "login_password": password,
			"count": n, "worker_system_disk_size": 20, "worker_data_disk_size": 0, "is_edge_worker": true,
		}
	}
	for name, value := range changes {
		if body[name] = value; value == (absent{}) {
			delete(body, name)
		}
	}
	data, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// field walks into an answer: field(a, "page_info", "total_count").
func field(a answer, path ...string) any {
	var v any = a.body
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// column lists one member of every object of a list.
func column(a answer, list, name string) []any {
	items, _ := a.body[list].([]any)
	var out []any
	for _, item := range items {
		out = append(out, item.(map[string]any)[name])
	}
	return out
}

// workers counts the live workers.
func (b *bed) workers(id string) int {
	b.t.Helper()
	n := 0
	for _, role := range column(b.get("DescribeClusterNodes", "/clusters/"+id+"/nodes?pageSize=100"), "nodes", "instance_role") {
		if role == "Worker" {
			n++
		}
	}
	return n
}

// discard is an answer that nobody reads.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
