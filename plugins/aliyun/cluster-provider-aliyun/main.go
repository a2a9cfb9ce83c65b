// Command cluster-provider-aliyun is the plugin process for Alibaba Cloud.
package main

import (
	"github.com/clusterctl/clusterctl/plugins/aliyun"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
)

func main() {
	rpc.Serve(aliyun.New())
}
