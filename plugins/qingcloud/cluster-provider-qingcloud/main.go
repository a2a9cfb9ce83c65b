// Command cluster-provider-qingcloud is clusterctl's plugin for QingCloud EHPC.
// The engine starts it; it is of no use by itself.
package main

import (
	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
	"github.com/clusterctl/clusterctl/plugins/qingcloud"
)

func main() { rpc.Serve(qingcloud.New()) }
