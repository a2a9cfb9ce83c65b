//go:build !linux

package main

// clusterctlMain is main: the crash grid reads /proc.
func clusterctlMain() { main() }
