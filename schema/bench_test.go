package schema

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// BenchmarkLoad loads fleets of literal clusters of two kinds, a hundred to a
// file. heap-KB/cluster is what the Fleet still holds after Load.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := spec(b, fleetOf(n))
			before := heap()
			var fleet *Fleet
			for b.Loop() {
				var problems []Problem
				if fleet, problems = Load(Options{Dir: dir}); len(problems) > 0 || len(fleet.Clusters) != n {
					b.Fatalf("%d clusters\n%s", len(fleet.Clusters), text(problems[:min(3, len(problems))]))
				}
			}
			b.ReportMetric(float64(heap()-before)/1024/float64(n), "heap-KB/cluster")
			runtime.KeepAlive(fleet)
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func fleetOf(n int) map[string]string {
	files := map[string]string{"accounts.cue": accounts}
	for first := 0; first < n; first += 100 {
		var s strings.Builder
		s.WriteString("package fleet\n")
		for i := first; i < min(first+100, n); i++ {
			if i%2 == 0 {
				fmt.Fprintf(&s, `clusters: "mrs-%d": {
	provider: "hw", kind: "mrs"
	node_groups: {
		core: count: %d
		task: {count: 10, node_size: "c3.4xlarge.2.linux.bigdata", data_volume_type: "SAS", data_volume_count: 2, data_volume_size: 200}
	}
}
`, i, 3+i%100)
				continue
			}
			fmt.Fprintf(&s, `clusters: "ehpc-%d": {
	provider: "qc", kind: "ehpc"
	version_id: "appv-8k3d0ytv", vxnet: "vxnet-oilq879", nas_id: "nas-1", nas_path: "10.0.0.7@o2ib:/lustrefs/x"
	admin_password: {env: "CCTL_SECRET_EHPC"}
	node_groups: {
		login: {count: 1, cpu: 2, memory: 4096, nas_mount_point: "/home"}
		controller: {count: 1, cpu: 2, memory: 4096, nas_mount_point: "/home"}
		compute: {count: 2, cpu: 4, memory: 12288, nas_mount_point: "/home"}
	}
}
`, i)
		}
		files[fmt.Sprintf("fleet%d.cue", first)] = s.String()
	}
	return files
}
