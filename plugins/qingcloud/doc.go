// Package qingcloud is the provider for QingCloud's elastic high performance
// computing (EHPC, 弹性高性能计算): it creates hpc and ehpc clusters and changes
// the size of the nodes of one role. EHPC has its own host, JSON bodies and its
// own signature, none of which the vendor's Go SDK speaks, so the client here is
// small and our own.
//
// Place in the flow: the engine reads clusters through Observe, asks Plan what
// createCluster and resizeCluster can do about the differences, sends each
// request once through Start and follows its job through Poll. Neither call has
// an idempotency token, so everything that is not a documented refusal is
// reported as unknown and left to the engine to find out by reading.
package qingcloud
