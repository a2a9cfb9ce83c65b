package aliyunsim

import (
	"container/heap"
	"slices"
)

// queue holds the running tasks, the one whose next step comes first on top;
// of equal ones the older. It keeps thousands of jobs cheap.
type queue []work

// Len, Less, Swap, Push and Pop are what container/heap asks for.
func (q queue) Len() int { return len(q) }

// Less orders by the next step's time.
func (q queue) Less(i, j int) bool {
	a, b := q[i].task, q[j].task
	if c := a.Job.at().Compare(b.Job.at()); c != 0 {
		return c < 0
	}
	return a.ID < b.ID
}

// Swap exchanges two tasks.
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push appends a task.
func (q *queue) Push(w any) { *q = append(*q, w.(work)) }

// Pop cuts off the last task.
func (q *queue) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	*q = slices.Delete(*q, last, last+1)
	return w
}

// drop takes a cluster's tasks out.
func (q *queue) drop(cl *Cluster) {
	*q = slices.DeleteFunc(*q, func(w work) bool { return w.cluster == cl })
	heap.Init(q)
}
