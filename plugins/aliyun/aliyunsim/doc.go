// Package aliyunsim simulates the part of Alibaba Cloud's Container Service
// (ACK, API version 2015-12-15) that grows sandboxed-container and edge
// clusters: ScaleOutCluster with both documented bodies, the reads and tasks
// around it, and DeleteClusterNodes. It checks signatures, enforces every
// documented limit, lets jobs take time, and knows nothing of the plugin.
//
// Place in the flow: tests and cmd/cloudsim put New's server on loopback, fill
// it with Example, Fleet or a hand-written State, and let the plugin believe
// that it is the cloud. The audit log then tells what was done, and how often.
//
// Limits are cited from the vendor's pages "ScaleOutCluster, sandboxed
// containers" (安全沙箱容器, below: sandbox page) and "ScaleOutCluster, edge"
// (边缘托管版, below: edge page). What no page tells is marked "choice" where it
// stands in the code.
package aliyunsim
