package huaweisim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
	"github.com/google/go-cmp/cmp"
)

// The whole log of a scripted run, word for word.
func TestAuditLog(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	ids := taskIDs(s)                                                                           // 1 request
	s.put(analytics, resize("scale_out", "core", 2))                                            // 2
	s.put(analytics, resize("scale_in", "task", 1))                                             // 3: one at a time
	s.pass(jobTime)                                                                             //
	s.put(analytics, resize("scale_in", "task", 2, `"server_ids":["`+ids[3]+`","`+ids[1]+`"]`)) // 4
	s.pass(jobTime)
	if err := s.drift(cloudsim.Drift{Cluster: analytics, Group: "task", Remove: 1}); err != nil {
		t.Fatal(err)
	}
	s.inject(cloudsim.Fault{Kind: cloudsim.JobPartial, Code: "MRS.104"})
	s.put(analytics, resize("scale_out", "task", 3)) // 5
	s.pass(jobTime)
	s.inject(cloudsim.Fault{Kind: cloudsim.JobFails})
	s.put(analytics, resize("scale_out", "task", 3)) // 6
	s.pass(jobTime)
	s.put("nobody", resize("scale_out", "core", 7)) // 7
	s.put(analytics, `{}`)                          // 8
	r := s.request("PUT", infos+"/"+analytics, resize("scale_out", "core", 1))
	r.Header.Del("Authorization")
	s.send(r)                                          // 9
	s.inject(cloudsim.Fault{Kind: cloudsim.DropAfter}) //
	s.put(analytics, resize("scale_out", "core", 1))   // 10

	minute := func(m int) time.Time { return time.Date(2026, 11, 21, 0, m, 0, 0, time.UTC) }
	host := func(n int) string { return fmt.Sprintf("0000a000-0000-4000-8000-%012d", n) }
	request := func(at, id int, e cloudsim.Entry) cloudsim.Entry {
		e.Event, e.Cloud, e.Call = "request", "huawei", "UpdateClusterScaling"
		e.Time, e.RequestID = minute(at), fmt.Sprintf("%032x", id)
		if e.Cluster == "" {
			e.Cluster = analytics
		}
		return e
	}
	effect := func(at int, event string, e cloudsim.Entry) cloudsim.Entry {
		e.Event, e.Cloud, e.Cluster, e.Time = event, "huawei", analytics, minute(at)
		if event != "drift" {
			e.Call = "UpdateClusterScaling"
		}
		return e
	}
	const core, task = "core_node_default_group", "task_node_default_group"
	want := []cloudsim.Entry{
		request(0, 2, cloudsim.Entry{Group: core, Count: 2, Detail: "scale_out", Outcome: "accepted", Job: "job-00000001"}),
		request(0, 3, cloudsim.Entry{Group: task, Count: 1, Detail: "scale_in", Outcome: "refused", Code: "12000018"}),
		effect(8, "added", cloudsim.Entry{Group: core, Count: 2, Job: "job-00000001", Nodes: []string{host(18), host(19)}}),
		request(8, 4, cloudsim.Entry{Group: task, Count: 2, Detail: "scale_in", Outcome: "accepted", Job: "job-00000002"}),
		effect(16, "removed", cloudsim.Entry{Group: task, Count: 2, Job: "job-00000002", Nodes: []string{ids[3], ids[1]}}),
		effect(16, "drift", cloudsim.Entry{Group: "task_node_analysis_group", Count: 1, Nodes: []string{host(17)}, Detail: "removed"}),
		request(16, 5, cloudsim.Entry{Group: task, Count: 3, Detail: "scale_out", Outcome: "accepted", Job: "job-00000003", Fault: "job_partial"}),
		effect(24, "added", cloudsim.Entry{Group: task, Count: 3, Job: "job-00000003", Nodes: []string{host(20)},
			Detail: "(MRS.104) The user's resources are insufficient."}),
		request(24, 6, cloudsim.Entry{Group: task, Count: 3, Detail: "scale_out", Outcome: "accepted", Job: "job-00000004", Fault: "job_fails"}),
		request(32, 7, cloudsim.Entry{Cluster: "nobody", Group: core, Count: 7, Detail: "scale_out", Outcome: "refused", Code: "12000003"}),
		request(32, 8, cloudsim.Entry{Group: core, Outcome: "refused", Code: "12000002"}),
		request(32, 9, cloudsim.Entry{Outcome: "refused", Code: "APIGW.0301"}),
		request(32, 10, cloudsim.Entry{Group: core, Count: 1, Detail: "scale_out", Outcome: "accepted", Job: "job-00000005", Fault: "drop_after"}),
	}
	for i := range want {
		want[i].Seq = i + 1
	}
	got := s.server.Log().Entries()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := fmt.Sprint(got, s.state()); strings.Contains(text, huaweisim.SecretKey) || strings.Contains(text, huaweisim.AccessKeyID) {
		t.Error("a key is in the log or the state")
	}
}

func TestCallsAreCounted(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	s.get(infos)
	s.get(infos + "/" + analytics)
	s.get(hosts)
	s.get("/v1.1/" + project + "/clusters/" + analytics + "/tags")
	s.put(analytics, resize("scale_out", "core", 1))
	s.get("/elsewhere")
	want := map[string]int{"ListClusters": 1, "ShowClusterDetails": 1, "ListHosts": 1, "ShowClusterTags": 1, "UpdateClusterScaling": 1, "unknown": 1}
	if diff := cmp.Diff(want, s.server.Log().Calls()); diff != "" {
		t.Error(diff)
	}
}
