package qingcloudsim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// BenchmarkPage reads one full page in the middle of fleets of several sizes:
// it should not take longer in a larger one.
func BenchmarkPage(b *testing.B) {
	for _, call := range []string{"list", "listNodes"} {
		for _, n := range []int{1000, 10000} {
			b.Run(fmt.Sprintf("%s/%d", call, n), func(b *testing.B) {
				c := &clock{now: start}
				sim := qingcloudsim.New(cloudsim.Options{Now: c.Now})
				sim.Cloud(func(c cloudsim.Cloud) {
					if err := c.Restore(qingcloudsim.Fleet(n)); err != nil {
						b.Fatal(err)
					}
				})
				path := "/api/cluster/" + call
				query := commonQuery(start)
				query["zone"], query["limit"], query["offset"] = zone, "100", fmt.Sprint(n/2)
				if call == "list" {
					query["owner"] = owner
				}
				raw := signed(qingcloudsim.SecretKey, "GET", path, query, "")
				for b.Loop() {
					rec := httptest.NewRecorder()
					sim.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path+"?"+raw, nil))
					if rec.Code != http.StatusOK || rec.Body.Len() < 10000 {
						b.Fatal(rec.Body)
					}
				}
			})
		}
	}
}
