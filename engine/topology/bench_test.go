package topology

import (
	"fmt"
	"io"
	"testing"
)

// BenchmarkDraw lays out and draws fleets in which each cluster depends on the
// one before it and on one half way.
func BenchmarkDraw(b *testing.B) {
	for _, n := range []int{100, 1_000, 5_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			clusters := aFleet(n)
			for i, c := range clusters[1:] {
				c.Rules.DependsOn = []string{clusters[i].Address}
				if half := i / 2; half != i {
					c.Rules.DependsOn = append(c.Rules.DependsOn, clusters[half].Address)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := OfSpec(clusters).SVG(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
