package schema

import (
	"github.com/clusterctl/clusterctl/schema/aliyun"
	"github.com/clusterctl/clusterctl/schema/huawei"
	"github.com/clusterctl/clusterctl/schema/qingcloud"
)

// Builtin is the schemas of the clouds that clusterctl ships plugins for.
func Builtin() []Source {
	return []Source{
		source("aliyun", aliyun.Files(), aliyun.Kinds, aliyun.Provider, aliyun.Domains),
		source("huawei", huawei.Files(), huawei.Kinds, huawei.Provider, huawei.Domains),
		source("qingcloud", qingcloud.Files(), qingcloud.Kinds, qingcloud.Provider, qingcloud.Domains),
	}
}
