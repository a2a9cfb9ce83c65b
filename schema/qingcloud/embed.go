// Package qingcloud carries the CUE schema of QingCloud's HPC and EHPC
// clusters. The plugin hands it to the engine, the loader checks specs
// against it. It imports the standard library only.
package qingcloud

import "embed"

//go:embed *.cue
var files embed.FS

// Provider is the definition of an entry under "providers".
const Provider = "#Provider"

// Kinds maps each kind of cluster to its definition.
var Kinds = map[string]string{"hpc": "#HPC", "ehpc": "#EHPC"}

// Domains are the host suffixes of the cloud; an endpoint elsewhere needs the
// user's word.
var Domains = []string{"qingcloud.com"}

// Files returns the schema by file name.
func Files() map[string][]byte {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // the files are compiled in
	}
	content := make(map[string][]byte, len(entries))
	for _, entry := range entries {
		b, err := files.ReadFile(entry.Name())
		if err != nil {
			panic(err)
		}
		content[entry.Name()] = b
	}
	return content
}
