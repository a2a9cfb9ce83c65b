package huaweisim

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// Ids are made from the host's number, which the account never gives twice.
// The id is what server_ids wants; resource_id is another one, so that taking
// the wrong one shows.
const (
	hostIDFormat     = "0000a000-0000-4000-8000-%012d"
	resourceIDFormat = "0000b000-0000-4000-8000-%012d"
)

func hostID(number int) string { return fmt.Sprintf(hostIDFormat, number) }

// hostNumber is the inverse of hostID; 0 when id is none of ours.
func hostNumber(id string) int {
	var number int
	if _, err := fmt.Sscanf(id, hostIDFormat, &number); err != nil || hostID(number) != id {
		return 0
	}
	return number
}

// hostName: hosts that a resize added carry the node_id in their name (MRS API,
// resizing a cluster, table 2, node_id: "node-orderadd-TBvSr.com").
func hostName(role string, number int, added bool) string {
	if added {
		return fmt.Sprintf("node-orderadd-%05d.com", number)
	}
	return fmt.Sprintf("node-%s-%05d.com", role, number)
}

func (g *Group) size() string       { return cmp.Or(g.NodeSize, defaultSize) }
func (g *Group) volumeType() string { return cmp.Or(g.DataVolumeType, "SAS") }
func (g *Group) volumeCount() int   { return cmp.Or(g.DataVolumeCount, 2) }
func (g *Group) volumeSize() int    { return cmp.Or(g.DataVolumeSize, 200) }

func (g *Group) count() int {
	n := 0
	for _, run := range g.Hosts {
		n += run.Count
	}
	return n
}

// grow adds n hosts with new numbers and returns their ids.
func (g *Group) grow(s *State, n int, added bool) []string {
	if n == 0 {
		return nil
	}
	first := s.LastHost + 1
	s.LastHost += n
	g.Hosts = append(g.Hosts, Run{From: first, Count: n, Added: added})
	ids := make([]string, n)
	for i := range ids {
		ids[i] = hostID(first + i)
	}
	return ids
}

// newest returns the numbers of the n youngest hosts, youngest first.
func (g *Group) newest(n int) []int {
	var numbers []int
	for _, run := range slices.Backward(g.Hosts) {
		for i := run.Count - 1; i >= 0 && len(numbers) < n; i-- {
			numbers = append(numbers, run.From+i)
		}
	}
	return numbers
}

// has reports whether the group holds the host.
func (g *Group) has(number int) bool {
	return slices.ContainsFunc(g.Hosts, func(run Run) bool {
		return run.From <= number && number < run.From+run.Count
	})
}

// remove takes hosts out and returns the ids of those that were there.
func (g *Group) remove(numbers []int) []string {
	var ids []string
	for _, number := range numbers {
		for i, run := range g.Hosts {
			if number < run.From || number >= run.From+run.Count {
				continue
			}
			var rest []Run
			if before := number - run.From; before > 0 {
				part := run
				part.Count = before
				rest = append(rest, part)
			}
			if after := run.From + run.Count - number - 1; after > 0 {
				part := run
				part.From, part.Count = number+1, after
				rest = append(rest, part)
			}
			g.Hosts = slices.Replace(g.Hosts, i, i+1, rest...)
			ids = append(ids, hostID(number))
			break
		}
	}
	return ids
}

var flavor = regexp.MustCompile(`^[a-z0-9]+\.([0-9]*)(x?large)(?:\.([0-9]+))?\.linux\.(?:bigdata|mrs)$`)

// capacity reads a node size: family and generation, size, GiB per vCPU. An
// xlarge has 4 vCPUs, an Nxlarge 4N, a large 2 (MRS ECS specifications).
func capacity(size string) (vcpus, gib int, ok bool) {
	m := flavor.FindStringSubmatch(size)
	if m == nil {
		return 0, 0, false
	}
	times, ratio := 1, 2
	if m[1] != "" {
		times, _ = strconv.Atoi(m[1])
	}
	if m[3] != "" {
		ratio, _ = strconv.Atoi(m[3])
	}
	vcpus = 4 * times
	if m[2] == "large" {
		vcpus = 2
	}
	return vcpus, vcpus * ratio, true
}

func resourceID(number int) string { return fmt.Sprintf(resourceIDFormat, number) }

// hostIP gives every host of the account an address of its own while there are
// fewer than 2^24.
func hostIP(number int) string {
	return fmt.Sprintf("10.%d.%d.%d", number>>16&255, number>>8&255, number&255)
}
