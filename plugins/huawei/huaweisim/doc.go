// Package huaweisim simulates the part of Huawei Cloud's MapReduce Service
// (MRS, API v1.1) that the huawei plugin uses: ShowClusterDetails,
// ListClusters, ListHosts, the tags of a cluster, and UpdateClusterScaling with
// its limits, error codes and jobs that take time. Requests must carry a valid
// SDK-HMAC-SHA256 signature. Paths that are not served answer like the API
// gateway does for an API that does not exist.
//
// Place in the flow: it stands behind plugins/cloudsim, which injects faults
// and keeps the audit log; tests of the plugin and cmd/cloudsim put it on
// loopback. It is written from the vendor's documents alone and shares no code
// with the plugin. The documents are cited as
//
//   - "MRS API, resizing a cluster": the page 调整集群节点 with its tables 1-6;
//   - "MRS API, error codes": the service's English list of codes;
//   - "API Gateway, error codes": what the gateway in front of MRS answers.
//
// Where none of them settles a point, the comment says "taken:" and what was
// taken.
package huaweisim
