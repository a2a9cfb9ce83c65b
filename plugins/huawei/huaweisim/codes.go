package huaweisim

import (
	"net/http"
	"strings"
)

// refusal is an error answer: {"error_code": …, "error_msg": …}.
type refusal struct {
	status int
	code   string
	text   string
}

// The gateway's codes (API Gateway, error codes).
const (
	codeSignature = "APIGW.0301" // 401, the signature or its date is bad
	codeThrottled = "APIG.0308"  // 429
	codeNoAPI     = "APIG.0101"  // 404; taken: the gateway's general code
)

// codes gives status and text of every code that the simulator can answer: MRS
// API, resizing a cluster, table 6, and the texts and statuses of MRS API,
// error codes. Statuses that no document gives are taken: 400 for 12000017,
// 12000065, 12000067 and 12000068 (nearly all MRS refusals have it); for the
// MRS.* codes 401 when the token is bad, 400 when the request or the resources
// are, 500 when a service behind failed.
var codes = map[string]refusal{
	"12000001": {status: 401, text: "The identity authentication is invalid."},
	"12000002": {status: 400, text: "The parameter is invalid."},
	"12000003": {status: 400, text: "The cluster does not exist."},
	"12000009": {status: 400, text: "The method parameter is invalid."},
	"12000012": {status: 400, text: "Jobs are being executed in the cluster, which is not in the running state."},
	"12000013": {status: 400, text: "Scale-in of cluster XX failed."},
	"12000014": {status: 400, text: "Scale-out of cluster XX failed."},
	"12000017": {status: 400, text: "A cluster that is not in the running state cannot be scaled in or out."},
	"12000018": {status: 400, text: "A cluster that is being scaled in or out cannot be scaled again."},
	"12000019": {status: 400, text: "The host list of the cluster could not be obtained."},
	"12000028": {status: 400, text: "The cluster can have at most N Core nodes."},
	"12000029": {status: 400, text: "The quota could not be obtained."},
	"12000030": {status: 400, text: "The total number of nodes applied for exceeds the available quota."},
	"12000031": {status: 400, text: "The total number of vCPUs applied for exceeds the available quota."},
	"12000032": {status: 400, text: "The total memory applied for exceeds the available quota."},
	"12000033": {status: 400, text: "The total number of disks applied for exceeds the available quota."},
	"12000034": {status: 400, text: "The total disk capacity applied for exceeds the available quota."},
	"12000054": {status: 400, text: "The operation is not supported."},
	"12000065": {status: 400, text: "A yearly/monthly cluster cannot be scaled in or out."},
	"12000067": {status: 400, text: "The cluster version is too old to scale out; upgrade it."},
	"12000068": {status: 400, text: "Some nodes of the cluster are not running; try again later."},
	"12000090": {status: 400, text: "The node specification is unavailable."},
	"12000094": {status: 400, text: "The node specification is unavailable."},
	"12000121": {status: 400, text: "The cluster has an unpaid order and cannot be scaled out; complete the order first."},
	"12000123": {status: 400, text: "The Task node specification must not be given: the cluster has Task nodes."},
	"12000124": {status: 400, text: "The number of Task nodes is under auto scaling."},
	"12000125": {status: 400, text: "The Task node specification cannot be given while the cluster is being scaled."},
	"12000127": {status: 400, text: "The cluster could not be locked."},
	"12000128": {status: 400, text: "The cluster could not be unlocked."},
	"12000139": {status: 400, text: "The disk type is sold out."},
	"12000140": {status: 400, text: "The disk type is sold out."},
	"12000233": {status: 400, text: "The node specification is sold out."},
	"12000234": {status: 400, text: "The node specification is sold out."},
	"MRS.101":  {status: 400, text: "The user's request quota is insufficient; submit a service ticket."},
	"MRS.102":  {status: 401, text: "The user's token is empty or invalid."},
	"MRS.103":  {status: 400, text: "The user's request is invalid."},
	"MRS.104":  {status: 400, text: "The user's resources are insufficient."},
	"MRS.105":  {status: 400, text: "The subnet has too few IP addresses."},
	"MRS.201":  {status: 500, text: "An ECS error occurred. (ECS:0319, insufficient resources)"},
	"MRS.202":  {status: 500, text: "An IAM error occurred. (IAM:0005, no agency)"},
	"MRS.203":  {status: 500, text: "A VPC error occurred. (VPC:0202, no free address)"},
	"MRS.300":  {status: 500, text: "An internal MRS error occurred; try again later."},

	codeSignature: {status: 401, text: "Incorrect IAM authentication information: verify aksk signature fail."},
	codeThrottled: {status: 429, text: "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 second."},
	codeNoAPI:     {status: 404, text: "The API does not exist or has not been published in the environment."},
}

// refuse makes the answer with a code; detail, when given, follows its text.
func refuse(code string, detail ...string) *refusal {
	r, ok := codes[code]
	if !ok {
		r = refusal{status: http.StatusBadRequest, text: "The request was refused."}
	}
	r.code = code
	if len(detail) > 0 {
		r.text += " " + strings.Join(detail, " ")
	}
	return &r
}

// fromGateway says whether the gateway writes the code, whose bodies also
// hold the request id.
func fromGateway(code string) bool { return strings.HasPrefix(code, "APIG") }

// clusterStates are the documented values of clusterState (MRS API, querying
// cluster details).
var clusterStates = []string{
	"starting", "running", "scaling-out", "scaling-in", "abnormal", "failed",
	"frozen", "terminating", "terminated",
}

// stages are what stageDesc says while a resize runs.
func stages(out bool) []string {
	if out {
		return []string{"Preparing for cluster expansion", "Creating VM", "Initializing VM", "Adding node to the cluster"}
	}
	return []string{"Preparing for cluster shrink", "Decommissioning instance", "Deleting VM", "Deleting node from the cluster"}
}

// chinese has the texts that a request with X-Language: zh-cn gets for
// clusterState and stageDesc.
var chinese = map[string]string{
	"starting":                        "启动中",
	"running":                         "运行中",
	"scaling-out":                     "扩容中",
	"scaling-in":                      "缩容中",
	"abnormal":                        "异常",
	"failed":                          "失败",
	"frozen":                          "冻结",
	"terminating":                     "删除中",
	"terminated":                      "已删除",
	"Preparing for cluster expansion": "准备扩容",
	"Creating VM":                     "创建虚拟机",
	"Initializing VM":                 "初始化虚拟机",
	"Adding node to the cluster":      "添加节点到集群",
	"Preparing for cluster shrink":    "准备缩容",
	"Decommissioning instance":        "退服实例",
	"Deleting VM":                     "删除虚拟机",
	"Deleting node from the cluster":  "从集群删除节点",
}
