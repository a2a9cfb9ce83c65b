// Command cluster-provider-huawei is the plugin for Huawei Cloud MRS.
package main

import (
	"github.com/clusterctl/clusterctl/plugins/huawei"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
)

func main() { rpc.Serve(huawei.New()) }
