// Package huawei carries the CUE definitions of Huawei Cloud's clusters: every
// limit of the MRS documents that a spec alone can decide. The plugin hands
// them out in Describe; the loader checks specs against them.
package huawei

import (
	"embed"
	"io/fs"
)

//go:embed *.cue
var files embed.FS

// Provider is the definition of a "providers" entry.
const Provider = "#Provider"

// Kinds maps each kind of cluster to its definition.
var Kinds = map[string]string{"mrs": "#MRS"}

// Domains are the suffixes of the hosts that belong to the cloud.
var Domains = []string{"myhuaweicloud.com"}

// Files returns the CUE files by base name.
func Files() map[string][]byte {
	names, err := fs.Glob(files, "*.cue")
	if err != nil {
		panic(err) // the pattern is ours
	}
	all := make(map[string][]byte, len(names))
	for _, name := range names {
		content, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it was embedded
		}
		all[name] = content
	}
	return all
}
