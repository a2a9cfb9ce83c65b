package qingcloudsim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// FuzzBodies: whatever is sent gets a documented answer, and the state that
// comes of it can be saved and restored.
func FuzzBodies(f *testing.F) {
	for _, body := range []o{ehpcBody("c"), hpcBody("c"), sizeBody("compute", "4", "12288")} {
		text, err := json.Marshal(body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "createCluster")
		f.Add(string(text), "resizeCluster")
	}
	f.Add(`{"cluster_conf":{"cluster":{"login":{"count":1e99}}}}`, "createCluster")
	f.Add(`{"cpu":{},"memory":null,"node_role":[]}`, "resizeCluster")
	c := &clock{now: start}
	f.Fuzz(func(t *testing.T, body, call string) {
		sim := qingcloudsim.New(cloudsim.Options{Now: c.Now})
		sim.Cloud(func(c cloudsim.Cloud) {
			if err := c.Restore(mixed()); err != nil {
				t.Fatal(err)
			}
		})
		path := "/api/cluster/" + call
		if call != "createCluster" {
			path = "/api/cluster/resizeCluster"
		}
		raw := signed(qingcloudsim.SecretKey, "POST", path, commonQuery(start), body)
		req := httptest.NewRequest(http.MethodPost, path+"?"+raw, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		sim.ServeHTTP(rec, req)
		var answer struct {
			RetCode *int `json:"ret_code"`
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || answer.RetCode == nil || rec.Code != http.StatusOK {
			t.Fatalf("HTTP %d: %s", rec.Code, rec.Body)
		}
		sim.Cloud(func(c cloudsim.Cloud) {
			state, err := c.State()
			if err == nil {
				err = c.Restore(state)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	})
}
