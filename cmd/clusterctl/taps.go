package main

import (
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// taps let tests stop the program wherever it changes something. None is set
// in the program itself.
type taps struct {
	disk     journal.Do                                        // every operation of the store
	provider func(string, provider.Provider) provider.Provider // every call of the plugin of that name
}

func (t taps) openStore(dir string, create journal.Create) (*journal.FileStore, error) {
	return journal.OpenFileVia(t.disk, dir, create, time.Now())
}

func (t taps) wrap(name string, p provider.Provider) provider.Provider {
	if t.provider == nil {
		return p
	}
	return t.provider(name, p)
}
