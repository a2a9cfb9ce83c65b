package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/aliyun"
	"github.com/clusterctl/clusterctl/plugins/aliyun/aliyunsim"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/qingcloud"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
	"github.com/clusterctl/clusterctl/schema"
)

const adoptAccounts = `package fleet

providers: {
	huawei: {plugin: "huawei", region: "cn-north-4", project_id: "0123456789abcdef0123456789abcdef"}
	qingcloud: {plugin: "qingcloud", zone: "jn1a", owner: "usr-8rhqe0n7", uid_number: 11017754, gid_number: 11017754}
	aliyun: {plugin: "aliyun", region: "cn-beijing"}
}
`

// adoptSpec writes a spec with some text in it and opens it.
func adoptSpec(t testing.TB, text string) (dir string, spec *schema.Adoption) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fleet.cue"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	spec, problems := schema.OpenAdoption(schema.Options{Dir: dir}, nil)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return dir, spec
}

// ready is a live cluster of QingCloud with some groups.
func ready(kind, name, id string, attributes map[string]any, groups ...provider.Group) schema.Live {
	return schema.Live{Entries: []string{"qingcloud"}, State: &provider.State{
		ID: id, Name: name, Kind: kind, Status: provider.StatusReady, Attributes: provider.Raw(attributes), Groups: groups,
	}}
}

// Whatever a cloud calls its clusters and says of them, the file is CUE that
// hides nothing, the spec has each cluster under a key of its own, and a plan has
// nothing to change.
func FuzzAdopt(f *testing.F) {
	f.Add("login", "hpc-1", "/home", "login", 2, "")
	f.Add("_hidden", "ehpc-__x", "\\(provider)\"\n}", "#def", 26, "string")
	f.Add("string", "hpc-string", "// \u202e gone", "__proto", 1<<30, "null")
	f.Add("a/b*?[c]", "hpc-é", "e\u0301 \u00a0\ufeff", "if", -1, "e\u0301")
	f.Add("\x00\xff", "hpc-\t", "'''\"\"\"#\"", "", 0, "\u00e9")
	f.Add("登录 (old)", "ehpc-漢字", "\\", "int", 12, "-.-")
	f.Fuzz(adoptOdd)
}

func adoptOdd(t *testing.T, name, id, text, role string, n int, other string) {
	dir, spec := adoptSpec(t, adoptAccounts+"clusters: string: {provider: \"huawei\", kind: \"mrs\", id: \"1\"}\n")
	facts := map[string]any{"nas_path": text, "scheduler_type": role, "paid_type": "Reserved", text: id, "nested": map[string]any{"a": []any{text, nil, 1.5}}}
	found := &accounts{live: []schema.Live{
		ready("ehpc", name, id, facts, provider.Group{Role: "login", Count: n, Attributes: provider.Raw(map[string]any{"cpu": n, "nas_mount_point": text, role: 1e300})}),
		ready("ehpc", other, id+"x", facts, provider.Group{Role: role, Count: 1}),
		ready("hpc", name, id+"y", map[string]any{"vxnet": "vxnet-" + text, "version_id": other}),
		ready(text, name, id+"z", nil),
	}}
	report, err := adoption(spec, found, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range report.rows {
		if row.Spec != "new" && row.Reason == "" {
			t.Errorf("no reason for %+v", row)
		}
	}
	if report.content == nil {
		return
	}
	for _, r := range string(report.content) {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			t.Errorf("sign %U stands bare in\n%s", r, report.content)
		}
	}
	if err := placeNew(filepath.Join(dir, "adopted.cue"), report.content, os.Link); err != nil {
		t.Fatal(err)
	}
	planned(t, dir, found, report)
}

// planned demands that the spec in dir has every cluster that was written, and
// that a plan would change none of them.
func planned(t testing.TB, dir string, found *accounts, report *adoptReport) {
	t.Helper()
	fleet, problems := schema.Load(schema.Options{Dir: dir})
	if schema.Failed(problems) {
		t.Fatalf("the spec is not sound: %+v", problems)
	}
	live := map[string]*provider.State{}
	for _, one := range found.live {
		live[one.State.ID] = one.State
	}
	have := map[string]*schema.Cluster{}
	for _, c := range fleet.Clusters {
		have[c.Address] = c
	}
	for _, row := range report.rows {
		if row.Spec != "new" {
			continue
		}
		c := have[row.Key]
		if c == nil || c.ID != row.ID || c.Entry != row.Entry || c.Kind != row.Kind {
			t.Fatalf("the spec has %+v for %+v", c, row)
		}
		delete(have, row.Key)
		diff, err := engine.Diff(&engine.Cluster{Desired: c.Desired, Entry: c.Entry, Meanings: c.Meanings}, live[row.ID])
		if err != nil || !diff.Empty() {
			t.Errorf("%s: a plan would change %+v (%v)", row.Key, diff, err)
		}
	}
}

// Of clusters that the spec cannot have beside each other one is written; and
// what nobody can state is not, with the reason.
func TestAdoptReasons(t *testing.T) {
	_, spec := adoptSpec(t, adoptAccounts)
	login := provider.Group{Role: "login", Count: 1}
	busy := ready("ehpc", "busy", "ehpc-4", nil, login)
	busy.State.Status, busy.State.StatusText = provider.StatusBusy, "resizing"
	found := &accounts{live: []schema.Live{
		ready("hpc", "one", "hpc-1", nil, login), ready("hpc", "two", "hpc-2", nil, login),
		ready("hpc", "three", "hpc-\xff", nil, login), ready("vpc", "four", "vpc-1", nil), busy,
	}}
	_, err := adoption(spec, found, nil, []string{"nothing*", "b*"})
	if err == nil || !strings.Contains(err.Error(), `no cluster matches "nothing*"; there are one, two, three, four, busy`) {
		t.Errorf("error %v", err)
	}
	report, err := adoption(spec, found, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range report.table() {
		got = append(got, row[0]+": "+row[5]+" "+row[6])
	}
	want := []string{
		"NAME: SPEC NOTE", "one: new ",
		"two: - the spec does not take it: owner usr-8rhqe0n7 has the hpc cluster one already, and may have one only",
		`three: - its id "hpc-\xff" is not UTF-8 and cannot be stated`,
		`four: - plugin qingcloud has no schema for clusters of kind "vpc"`,
		"busy: - it is changing; adopt it when it is at rest",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Many clusters on three clouds, through the plugins.
func TestAdoptFleets(t *testing.T) {
	n := 20
	if raceDetector {
		n = 10
	}
	dir, spec := adoptSpec(t, adoptAccounts+gapsFilled)
	entries := map[string]*engine.Entry{}
	for _, cloud := range []struct {
		name        string
		build       func(cloudsim.Options) *cloudsim.Server
		fleet       func(int) []byte
		plugin      provider.Provider
		credentials map[string]string
	}{
		{"huawei", huaweisim.New, huaweisim.Fleet, huawei.New(), map[string]string{"access_key_id": huaweisim.AccessKeyID, "secret_access_key": huaweisim.SecretKey}},
		{"qingcloud", qingcloudsim.New, qingcloudsim.Fleet, qingcloud.New(), map[string]string{"access_key_id": qingcloudsim.AccessKeyID, "secret_access_key": qingcloudsim.SecretKey}},
		{"aliyun", aliyunsim.New, aliyunsim.Fleet, aliyun.New(), map[string]string{"access_key_id": aliyunsim.AccessKeyID, "access_key_secret": aliyunsim.SecretKey}},
	} {
		sim := cloud.build(cloudsim.Options{})
		sim.Cloud(func(c cloudsim.Cloud) {
			if err := c.Restore(cloud.fleet(n)); err != nil {
				t.Fatal(err)
			}
		})
		server := httptest.NewServer(sim)
		t.Cleanup(server.Close)
		d, err := cloud.plugin.Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := cloud.plugin.Configure(t.Context(), provider.Config{
			Entry: cloud.name, Settings: spec.Entries[cloud.name].Settings, Endpoint: server.URL, Credentials: cloud.credentials,
			Timing: &provider.Timing{AcceptWindow: time.Minute, ReadLag: time.Millisecond},
		}); err != nil {
			t.Fatal(err)
		}
		entries[cloud.name] = &engine.Entry{Name: cloud.name, Provider: cloud.plugin, Description: d}
	}
	found := listAccounts(t.Context(), entries, []string{"aliyun", "huawei", "qingcloud"}, func(provider.Observation) {})
	if len(found.unread) > 0 || len(found.live) != 3*n {
		t.Fatalf("%d clusters, unread %v", len(found.live), found.unread)
	}
	report, err := adoption(spec, found, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range report.rows {
		if row.Spec != "new" || len(row.Required) > 0 {
			t.Fatalf("not written whole: %+v", row)
		}
	}
	if err := placeNew(filepath.Join(dir, "adopted.cue"), report.content, os.Link); err != nil {
		t.Fatal(err)
	}
	planned(t, dir, found, report)
}

// gapsFilled states for all ACK clusters what no read tells.
const gapsFilled = `
clusters: [string]: {
	kind: string
	if kind == "ack_sandbox" {node_groups: worker: {
		key_pair: "ops", vswitch_ids: ["vsw-2zes3rfz7bmk0nxxxxxxx"], worker_instance_types: ["ecs.ebmg5s.24xlarge"]
		worker_system_disk_category: "cloud_efficiency", worker_system_disk_size: 120
		worker_data_disk_category: "cloud_efficiency", worker_data_disk_size: 240, ...
	}}
	if kind == "ack_edge" {node_groups: worker: {
		key_pair: "ops", worker_instance_type: "ens.sn1.tiny", ens_region_id: "cn-beijing-telecom", worker_image_id: "m-1"
		ens_internet_charge_type: "BandwidthByDay", worker_system_disk_size: 40, ...
	}}
	...
}
`

// Several entries of a spec may lead to one account, and plugins may be wrong.
func TestListAccounts(t *testing.T) {
	fake := func(name string, capable bool, list ...provider.Observation) *engine.Entry {
		d := &provider.Description{Name: "cloud"}
		if capable {
			d.Capabilities = []string{provider.CapList}
		}
		return &engine.Entry{Name: name, Description: d, Provider: lister{list: list}}
	}
	present := func(id string, groups ...provider.Group) provider.Observation {
		return provider.Observation{Presence: provider.Present, Cluster: &provider.State{ID: id, Name: "n-" + id, Groups: groups}}
	}
	found := listAccounts(t.Context(), map[string]*engine.Entry{
		"b": fake("b", true, present("1"), present("2")),
		"a": fake("a", true, present("2"), present("2"), present("3", provider.Group{Role: "x"}, provider.Group{Role: "x"}), present(""), present("4", provider.Group{Role: "x", Count: -1})),
		"c": fake("c", false, present("5")),
		"d": fake("d", true, provider.Observation{Error: provider.Errorf(provider.KindDenied, "no right")}, provider.Observation{Presence: provider.Absent}, provider.Observation{}),
	}, []string{"a", "b", "c", "d"}, func(provider.Observation) {})
	var live, unread []string
	for _, one := range found.live {
		live = append(live, fmt.Sprint(one.Entries, " ", one.State.ID))
	}
	for _, err := range found.unread {
		unread = append(unread, err.Error())
	}
	if diff := cmp.Diff([]string{"[a b] 2", "[b] 1"}, live); diff != "" {
		t.Errorf("live (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		`providers entry a: plugin cloud gave group "x" of cluster 3 twice, without a name or without a count`,
		`providers entry a: plugin cloud gave group "x" of cluster 4 twice, without a name or without a count`,
		"providers entry a: plugin cloud listed a cluster and did not say which",
		"providers entry c: plugin cloud cannot list the clusters of an account; write them by hand, by id",
		"providers entry d: a cluster was not read: no right",
		"providers entry d: plugin cloud listed a cluster and did not say which",
		"providers entry d: plugin cloud listed a cluster and did not say which",
	}, unread); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
}

// lister is a provider that lists what it is given.
type lister struct {
	provider.Provider
	list []provider.Observation
}

func (l lister) Observe(_ context.Context, _ provider.ObserveRequest, yield func(provider.Observation) error) error {
	for _, o := range l.list {
		if err := yield(o); err != nil {
			return err
		}
	}
	return nil
}

func TestPlaceNew(t *testing.T) {
	noLinks := func(string, string) error { return &os.LinkError{Op: "link", Err: syscall.ENOTSUP} }
	taken := func(from, to string) error { // somebody else was faster
		if err := os.WriteFile(to, []byte("theirs"), 0o644); err != nil {
			return err
		}
		return noLinks(from, to)
	}
	for _, test := range []struct {
		name, before string
		link         func(string, string) error
		want, fault  string
	}{
		{"new", "", os.Link, "ours", ""},
		{"no links", "", noLinks, "ours", ""},
		{"there", "theirs", os.Link, "theirs", "exists already"},
		{"there, no links", "theirs", noLinks, "theirs", "exists already"},
		{"made meanwhile", "", taken, "theirs", "exists already"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "a.cue")
			if test.before != "" {
				if err := os.WriteFile(out, []byte(test.before), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			err := placeNew(out, []byte("ours"), test.link)
			if (err != nil) != (test.fault != "") || err != nil && !strings.Contains(err.Error(), test.fault) {
				t.Errorf("error %v, want %q", err, test.fault)
			}
			if got, _ := os.ReadFile(out); string(got) != test.want {
				t.Errorf("it holds %q, want %q", got, test.want)
			}
			if names, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "*")); len(names) != 1 {
				t.Errorf("left behind: %v", names)
			}
			if names, _ := filepath.Glob(filepath.Join(filepath.Dir(out), ".*")); len(names) != 0 {
				t.Errorf("left behind: %v", names)
			}
		})
	}
	if err := placeNew(filepath.Join(t.TempDir(), "none", "a.cue"), nil, os.Link); err == nil || errors.Is(err, fs.ErrExist) {
		t.Errorf("without a directory: %v", err)
	}
}
