//go:build !unix

package pluginhost

func signalSelf(string) error { return nil }

func group() int { return 0 }
