// Package qingcloudsim simulates QingCloud's EHPC API (弹性高性能计算): signed
// JSON calls that create and resize HPC and EHPC clusters, the lists to read
// them with, and the operation log. It keeps the documented limits, answers
// errors as HTTP 200 with a ret_code, and lets jobs take their time.
//
// Place in the flow: tests and cmd/cloudsim serve it through cloudsim.Server in
// the cloud's stead; the qingcloud plugin meets it over HTTP only.
//
// Where the documents leave a question open the code says "assumption". Where
// two documents disagree on what the cloud takes, the simulator refuses what
// only one of them allows, so that a client cannot come to depend on a guess.
package qingcloudsim
