// Package aliyun holds the CUE definitions of what Alibaba Cloud documents
// about the clusters that the aliyun plugin manages. The loader checks specs
// with them, the plugin hands the same bytes out through Describe, and
// "clusterctl schema sync" writes them into a user's module for editors. It
// imports the standard library only.
package aliyun

import (
	"embed"
	"fmt"
)

//go:embed *.cue
var files embed.FS

// Provider is the definition of one entry under "providers".
const Provider = "#Provider"

// Kinds maps each kind of cluster to its definition.
var Kinds = map[string]string{
	"ack_edge":    "#ACKEdge",
	"ack_sandbox": "#ACKSandbox",
}

// Domains are the host suffixes that belong to the cloud.
var Domains = []string{"aliyuncs.com"}

// Files returns the CUE files by base name.
func Files() map[string][]byte {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("read the embedded schema: %v", err)) // embedded at build time
	}
	out := make(map[string][]byte, len(entries))
	for _, entry := range entries {
		content, err := files.ReadFile(entry.Name())
		if err != nil {
			panic(fmt.Sprintf("read the embedded schema: %v", err))
		}
		out[entry.Name()] = content
	}
	return out
}
