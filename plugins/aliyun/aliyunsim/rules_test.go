package aliyunsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// change is a body with one member changed, and whether it is still sound.
type change struct {
	name  string
	set   map[string]any
	sound bool
}

type members = map[string]any

var loginRules = []change{
	{"eight characters of three kinds", members{"login_password": "abcDEF12"}, true},
	{"seven characters", members{"login_password": "abcDE12"}, false},
	{"thirty characters", members{"login_password": "abcDEF12" + strings.Repeat("x", 22)}, true},
	{"thirty-one characters", members{"login_password": "abcDEF12" + strings.Repeat("x", 23)}, false},
	{"thirty characters in sixty bytes", members{"login_password": "aA1" + strings.Repeat("é", 27)}, true},
	{"two kinds", members{"login_password": "abcdefgh1"}, false},
	{"upper, lower, special", members{"login_password": "abcDEF!!"}, true},
	{"digit, lower, special", members{"login_password": "abc123!!"}, true},
	{"digit, upper, special", members{"login_password": "ABC123!!"}, true},
	{"password is a number", members{"login_password": 12345678}, false},
	{"key pair instead", members{"login_password": absent{}, "key_pair": "ops"}, true},
	{"both", members{"key_pair": "ops"}, false},
	{"neither", members{"login_password": absent{}}, false},
	{"empty key pair", members{"login_password": absent{}, "key_pair": ""}, false},
	{"the template's spelling", members{"login_password": absent{}, "keypair": "ops"}, false},
	{"null beside a key pair", members{"login_password": nil, "key_pair": "ops"}, true},
	{"prepaid", members{"worker_instance_charge_type": "PrePaid"}, true},
	{"strange charge type", members{"worker_instance_charge_type": "Free"}, false},
	{"count 0", members{"count": 0}, false},
	{"count -1", members{"count": -1}, false},
	{"count as text", members{"count": "1"}, false},
	{"count 1.5", members{"count": 1.5}, false},
	{"no count", members{"count": absent{}}, false},
	{"unknown member", members{"node_count": 1}, false},
}

var sandboxRules = []change{
	{"page's example", nil, true},
	{"no tags, no rollback, no charge type", members{"tags": absent{}, "disable_rollback": absent{}, "worker_instance_charge_type": absent{}}, true},
	{"three vSwitches", members{"vswitch_ids": []string{"a", "b", "c"}}, true},
	{"four vSwitches", members{"vswitch_ids": []string{"a", "b", "c", "d"}}, false},
	{"no vSwitch", members{"vswitch_ids": []string{}}, false},
	{"empty vSwitch", members{"vswitch_ids": []string{""}}, false},
	{"vSwitch as text", members{"vswitch_ids": "vsw-1"}, false},
	{"vSwitches missing", members{"vswitch_ids": absent{}}, false},
	{"all types", members{"worker_instance_types": []string{"ecs.ebmg5s.24xlarge", "ecs.ebmc5s.24xlarge", "ecs.ebmgn6i.24xlarge"}}, true},
	{"no type", members{"worker_instance_types": []string{}}, false},
	{"a virtual machine among them", members{"worker_instance_types": []string{"ecs.ebmg5s.24xlarge", "ecs.g6.large"}}, false},
	{"types missing", members{"worker_instance_types": absent{}}, false},
	{"data disk 200", members{"worker_data_disk_size": 200}, true},
	{"data disk 199", members{"worker_data_disk_size": 199}, false},
	{"data disk as the table's string", members{"worker_data_disk_size": "240"}, true},
	{"data disk string 199", members{"worker_data_disk_size": "199"}, false},
	{"data disk string of words", members{"worker_data_disk_size": "big"}, false},
	{"data disk size missing", members{"worker_data_disk_size": absent{}}, false},
	{"without data disk", members{"worker_data_disk": false}, false},
	{"data disk missing", members{"worker_data_disk": absent{}}, false},
	{"data disk as text", members{"worker_data_disk": "true"}, false},
	{"data disk category missing", members{"worker_data_disk_category": absent{}}, false},
	{"system disk category empty", members{"worker_system_disk_category": ""}, false},
	{"system disk 1", members{"worker_system_disk_size": 1}, true},
	{"system disk 0", members{"worker_system_disk_size": 0}, false},
	{"system disk missing", members{"worker_system_disk_size": absent{}}, false},
	{"tags", members{"tags": []Tag{{"team", "a"}}}, true},
	{"tag without key", members{"tags": []Tag{{"", "a"}}}, false},
	{"tags as object", members{"tags": members{"team": "a"}}, false},
	{"edge member", members{"is_edge_worker": true}, false},
}

var edgeRules = []change{
	{"page's example", nil, true},
	{"only what is required", members{"timeout_mins": absent{}, "worker_auto_renew": absent{}, "worker_auto_renew_period": absent{}, "worker_data_disk_size": absent{}}, true},
	{"not an ENS type", members{"worker_instance_type": "ecs.g6.large"}, false},
	{"type missing", members{"worker_instance_type": absent{}}, false},
	{"region missing", members{"ens_region_id": absent{}}, false},
	{"image missing", members{"worker_image_id": absent{}}, false},
	{"monthly bandwidth", members{"ens_internet_charge_type": "95BandwidthByMonth"}, true},
	{"strange bandwidth", members{"ens_internet_charge_type": "PayByTraffic"}, false},
	{"the table's spelling", members{"ens_internet_charge_type": absent{}, "ens_Internet_charge_type": "BandwidthByDay"}, false},
	{"period missing", members{"worker_period": absent{}}, false},
	{"period 0", members{"worker_period": 0}, false},
	{"period 3", members{"worker_period": 3}, true},
	{"period 4", members{"worker_period": 4}, false},
	{"period 60", members{"worker_period": 60}, true},
	{"period 72", members{"worker_period": 72}, false},
	{"system disk 20", members{"worker_system_disk_size": 20}, true},
	{"system disk 10", members{"worker_system_disk_size": 10}, false},
	{"system disk 25", members{"worker_system_disk_size": 25}, false},
	{"system disk 100", members{"worker_system_disk_size": 100}, true},
	{"system disk 110", members{"worker_system_disk_size": 110}, false},
	{"system disk above the image", members{"worker_image_id": "centos_7_06_64_20G_alibase_20190711", "worker_system_disk_size": 30}, true},
	{"system disk as the image", members{"worker_image_id": "centos_7_06_64_20G_alibase_20190711", "worker_system_disk_size": 20}, false},
	{"no edge worker", members{"is_edge_worker": false}, false},
	{"edge worker missing", members{"is_edge_worker": absent{}}, false},
	{"data disk 20", members{"worker_data_disk_size": 20}, true},
	{"data disk 10", members{"worker_data_disk_size": 10}, false},
	{"data disk 45", members{"worker_data_disk_size": 45}, false},
	{"data disk 200", members{"worker_data_disk_size": 200}, true},
	{"data disk 210", members{"worker_data_disk_size": 210}, false},
	{"renewal without period", members{"worker_auto_renew_period": absent{}}, false},
	{"no renewal, no period", members{"worker_auto_renew": false, "worker_auto_renew_period": absent{}}, true},
	{"renewal 12", members{"worker_auto_renew_period": 12}, true},
	{"renewal 13", members{"worker_auto_renew_period": 13}, false},
	{"renewal 0", members{"worker_auto_renew_period": 0}, false},
	{"timeout 1", members{"timeout_mins": 1}, true},
	{"timeout 0", members{"timeout_mins": 0}, false},
	{"sandbox member", members{"vswitch_ids": []string{"vsw-1"}}, false},
}

func TestScaleOutRules(t *testing.T) {
	for _, kind := range []struct {
		id     string
		status int
		rules  []change
	}{{secureID, 202, sandboxRules}, {edgeID, 200, edgeRules}} {
		b := newBed(t, Example(), cloudsim.Options{})
		for _, tt := range append(kind.rules, loginRules...) {
			t.Run(kind.id[32:]+"/"+tt.name, func(t *testing.T) {
				before := b.workers(kind.id)
				a := b.scale(kind.id, 1, tt.set)
				log := b.sim.Log().Entries()
				want, more := "InvalidParameter", 0
				if tt.sound {
					want, more = "", 1
				}
				switch {
				case a.code() != want || tt.sound && a.status != kind.status || !tt.sound && a.status != 400:
					t.Errorf("%d %s", a.status, a.raw)
				case !tt.sound && (log[len(log)-1].Outcome != "refused" || log[len(log)-1].Code != want):
					t.Errorf("audit log: %+v", log[len(log)-1])
				}
				if got := b.workers(kind.id); got != before+more {
					t.Errorf("%d workers after %d", got, before)
				}
			})
		}
	}
}

func TestBadBodies(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{})
	for _, body := range []string{``, `[]`, `null`, `{"count":`, `"x"`, scaleBody(secureID, 1, nil) + "x"} {
		a := b.do("POST", "ScaleOutCluster", "/api/v2/clusters/"+secureID, body)
		if a.status != 400 || a.code() != "InvalidParameter" || field(a, "requestId") == nil {
			t.Errorf("%q: %d %s", body, a.status, a.raw)
		}
	}
	if a := b.do("POST", "ScaleOutCluster", "/api/v2/clusters/"+edgeID, scaleBody(secureID, 1, nil)); a.code() != "InvalidParameter" {
		t.Errorf("the other kind's body: %d %s", a.status, a.raw)
	}
	r := b.request("POST", "ScaleOutCluster", "/api/v2/clusters/"+secureID, scaleBody(secureID, 1, nil), nil)
	r.Header.Set("Content-Type", "text/json")
	b.sign(r)
	if a := b.send(r); a.status != 415 || a.raw != "code=415, message=Unsupported Media Type" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
		t.Errorf("no JSON: %d %q", a.status, a.raw)
	}
}

// Who does not ask for JSON may get the edge page's XML.
func TestXML(t *testing.T) {
	for accept, want := range map[string]string{"application/xml": "<cluster_id>", "application/json, text/xml": `{"cluster_id"`, "": `{"cluster_id"`} {
		b := newBed(t, Example(), cloudsim.Options{})
		r := b.request("POST", "ScaleOutCluster", "/api/v2/clusters/"+edgeID, scaleBody(edgeID, 1, nil), func(r *http.Request) { r.Header.Set("Accept", accept) })
		if a := b.send(r); a.status != 200 || !strings.HasPrefix(a.raw, want) {
			t.Errorf("Accept %q: %d %s", accept, a.status, a.raw)
		}
	}
}

func TestAccountRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*State)
		id     string
		count  int
		status int
		code   string
	}{
		{"unknown cluster", func(*State) {}, "cffff", 1, 404, "ErrorClusterNotFound"},
		{"scaling already", func(s *State) { s.Clusters[0].Status = "scaling" }, secureID, 1, 400, "ErrorClusterState"},
		{"updating", func(s *State) { s.Clusters[0].Status = "updating" }, secureID, 1, 400, "ErrorClusterState"},
		{"in arrears", func(s *State) { s.Arrears = true }, secureID, 1, 400, "InsufficientBalance"},
		{"denied", func(s *State) { s.Denied = []string{"ScaleOutCluster"} }, secureID, 1, 403, "ErrorCheckAcl"},
		{"up to the quota", func(s *State) { s.NodeQuota = 7 }, secureID, 2, 202, ""},
		{"over the quota", func(s *State) { s.NodeQuota = 7 }, secureID, 3, 400, "QuotaExceeded.Node"},
		{"up to the default quota", func(*State) {}, edgeID, 4998, 200, ""},
		{"over the default quota", func(*State) {}, edgeID, 4999, 400, "QuotaExceeded.Node"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s State
			if err := json.Unmarshal(Example(), &s); err != nil {
				t.Fatal(err)
			}
			tt.change(&s)
			b := newBed(t, encodeState(s), cloudsim.Options{})
			a := b.scale(tt.id, tt.count, nil)
			if a.status != tt.status || a.code() != tt.code {
				t.Errorf("%d %s", a.status, a.raw)
			}
			if e := b.sim.Log().Entries()[0]; e.Code != tt.code || e.Cluster != tt.id {
				t.Errorf("audit log: %+v", e)
			}
		})
	}
}
