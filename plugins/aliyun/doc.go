// Package aliyun is the provider for Alibaba Cloud Container Service for
// Kubernetes (ACK, 容器服务). It reads clusters, their worker nodes and tasks, and
// grows the workers of sandboxed-container clusters (kind ack_sandbox) and of
// edge clusters (kind ack_edge) with ScaleOutCluster, the one call both share.
//
// Place in the flow: the engine observes through list and node calls, asks Plan
// for the number of workers to add, sends that one request through Start and
// follows its task through Poll. The vendor's core client signs; what is sent,
// how often, and what an answer means is decided here.
package aliyun
