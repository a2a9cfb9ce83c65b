package qingcloudsim_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// TestAudit: the exact log of a scripted run.
func TestAudit(t *testing.T) {
	const (
		cluster = "ehpc-gk3wfc7e"
		made    = "ehpc-00000007"
	)
	w := newWorld(t, cloudsim.Options{JobTime: time.Minute}, mixed())
	w.resize(sizeBody("compute", "4", "12288"))
	w.resize(sizeBody("compute", "4", "12288"))
	w.inject(cloudsim.Fault{Kind: cloudsim.DropAfter, Call: "createCluster"})
	w.create(with(ehpcBody("sim"), password, "password"))
	w.clock.add(time.Minute)
	w.clusters(nil)
	w.create(with(ehpcBody("sim"), 3, "cluster_conf", "cluster", "login", "cpu"))
	w.send("POST", "/api/cluster/resizeCluster", strings.Replace(resizeVector, "AKEX", "AKOT", 1), resizeBody)
	w.post("/api/cluster/deleteNodes", o{"cluster_id": cluster, "zone": zone, "node_ids": []string{"cln-00000005"}})
	w.inject(cloudsim.Fault{Kind: cloudsim.JobPartial})
	w.resize(with(sizeBody("compute", "8", "24576"), "50", "storage_size"))
	w.inject(cloudsim.Fault{Kind: cloudsim.JobFails})
	w.resize(with(sizeBody("login", "8", "24576"), made, "cluster_id"))
	w.drift(cloudsim.Drift{Cluster: made, Group: "compute", Add: 1})
	w.clock.add(time.Minute)
	w.clusters(nil)

	later, end := start.Add(time.Minute), start.Add(2*time.Minute)
	request := func(at time.Time, e cloudsim.Entry) cloudsim.Entry {
		e.Time, e.Event, e.Cloud = at, "request", "qingcloud"
		return e
	}
	effect := func(at time.Time, event string, e cloudsim.Entry) cloudsim.Entry {
		e.Time, e.Event, e.Cloud = at, event, "qingcloud"
		return e
	}
	want := []cloudsim.Entry{
		request(start, cloudsim.Entry{Call: "resizeCluster", Cluster: cluster, Group: "compute", Outcome: "accepted", Job: "j-00000000006", Count: 3, Detail: "cpu 4, memory 12288"}),
		request(start, cloudsim.Entry{Call: "resizeCluster", Cluster: cluster, Group: "compute", Outcome: "refused", Code: "1400", Count: 3, Detail: "PermissionDenied, resource [ehpc-gk3wfc7e] has a running operation"}),
		request(start, cloudsim.Entry{Call: "createCluster", Cluster: made, Outcome: "accepted", Job: "j-00000000013", Count: 4, Fault: cloudsim.DropAfter, Detail: "name sim; login 1 of cpu 2, memory 4096; controller 1 of cpu 2, memory 4096; compute 2 of cpu 4, memory 12288; admin.password given; password given"}),
		effect(later, "resized", cloudsim.Entry{Cluster: cluster, Group: "compute", Job: "j-00000000006", Count: 3, Nodes: []string{"cln-00000003", "cln-00000004", "cln-00000005"}}),
		effect(later, "created", cloudsim.Entry{Cluster: made, Job: "j-00000000013", Count: 4, Nodes: []string{"cln-00000009", "cln-00000010", "cln-00000011", "cln-00000012"}}),
		request(later, cloudsim.Entry{Call: "createCluster", Outcome: "refused", Code: "1101", Detail: "InvalidParameterValue, parameter [cluster_conf.cluster.login.cpu] must be one of 1, 2, 4, 8, 12, 26"}),
		request(later, cloudsim.Entry{Call: "resizeCluster", Cluster: cluster, Outcome: "refused", Code: "1200", Detail: "AuthFailure, access key not found"}),
		request(later, cloudsim.Entry{Call: "deleteNodes", Cluster: cluster, Outcome: "refused", Code: "1101", Detail: "InvalidParameterValue, no such action"}),
		request(later, cloudsim.Entry{Call: "resizeCluster", Cluster: cluster, Group: "compute", Outcome: "accepted", Job: "j-00000000014", Count: 3, Fault: cloudsim.JobPartial, Detail: "cpu 8, memory 24576, storage_size 50"}),
		request(later, cloudsim.Entry{Call: "resizeCluster", Cluster: made, Group: "login", Outcome: "accepted", Job: "j-00000000015", Count: 1, Fault: cloudsim.JobFails, Detail: "cpu 8, memory 24576"}),
		effect(later, "drift", cloudsim.Entry{Cluster: made, Group: "compute", Count: 1, Nodes: []string{"cln-00000016"}}),
		effect(end, "resized", cloudsim.Entry{Cluster: cluster, Group: "compute", Job: "j-00000000014", Count: 1, Nodes: []string{"cln-00000003"}}),
	}
	for i := range want {
		want[i].Seq = i + 1
	}
	if diff := cmp.Diff(want, w.sim.Log().Entries()); diff != "" {
		t.Error(diff)
	}
	wantCalls := map[string]int{"createCluster": 2, "resizeCluster": 5, "deleteNodes": 1, "list": 2}
	if diff := cmp.Diff(wantCalls, w.sim.Log().Calls()); diff != "" {
		t.Error(diff)
	}
}

// TestNoSecretComesOut: neither lists, state nor log hold a password or a key.
func TestNoSecretComesOut(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, nil)
	made := w.create(with(ehpcBody("sim"), password, "password"))
	bad := w.create(with(ehpcBody("sim"), password, "cluster_type"))
	log, err := json.Marshal(w.sim.Log().Entries())
	if err != nil {
		t.Fatal(err)
	}
	state, err := json.Marshal(w.state())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"answer": made.text, "refusal": bad.text, "log": string(log), "state": string(state),
		"clusters": w.get("/api/cluster/list", map[string]string{"owner": owner, "verbose": "1"}).text,
		"nodes":    w.get("/api/cluster/listNodes", map[string]string{"verbose": "1"}).text,
		"jobs":     w.get("/api/operation", nil).text,
	} {
		for _, secret := range []string{password, qingcloudsim.SecretKey} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %s", name, secret)
			}
		}
	}
}
