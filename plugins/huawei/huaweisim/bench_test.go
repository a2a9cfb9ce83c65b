package huaweisim_test

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
)

// benchmarkGet times one read of an account of n clusters.
func benchmarkGet(b *testing.B, n int, target string) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	server := huaweisim.New(cloudsim.Options{Now: func() time.Time { return now }})
	server.Cloud(func(c cloudsim.Cloud) {
		if err := c.Restore(huaweisim.Fleet(n)); err != nil {
			b.Fatal(err)
		}
	})
	for b.Loop() {
		r := httptest.NewRequest("GET", target, nil)
		sign(r, "", huaweisim.AccessKeyID, huaweisim.SecretKey, now, "host", "x-sdk-date")
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, r)
		if rec.Code != 200 {
			b.Fatal(rec.Body)
		}
	}
}

// A page must cost the same whatever the length of the list.
func BenchmarkListPage(b *testing.B) {
	for _, n := range []int{100, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			benchmarkGet(b, n, fmt.Sprintf("%s?clusterState=existing&pageSize=100&currentPage=%d", infos, n/100))
		})
	}
}

func BenchmarkListByName(b *testing.B) {
	benchmarkGet(b, 10000, infos+"?clusterState=existing&clusterName=c05000")
}

func BenchmarkHosts(b *testing.B) { benchmarkGet(b, 10000, hosts+"?pageSize=100") }

func BenchmarkDetail(b *testing.B) { benchmarkGet(b, 10000, infos+"/"+analytics) }

// One change of a long state that is saved each time.
func BenchmarkStateAfterChange(b *testing.B) {
	server := huaweisim.New(cloudsim.Options{})
	drift := func(c cloudsim.Cloud) {
		if err := c.Drift(cloudsim.Drift{Cluster: analytics, Set: map[string]any{"tags": "a=b"}}); err != nil {
			b.Fatal(err)
		}
		state, err := c.State()
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(state)))
	}
	server.Cloud(func(c cloudsim.Cloud) {
		if err := c.Restore(huaweisim.Fleet(10000)); err != nil {
			b.Fatal(err)
		}
		_, _ = c.State()
		for b.Loop() {
			drift(c)
		}
	})
}
