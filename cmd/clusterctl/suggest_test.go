package main

import (
	"testing"

	"github.com/urfave/cli/v2"
)

// A suggestion is a typing mistake away, or there is none.
func TestNearest(t *testing.T) {
	commands := []*cli.Command{{Name: "plan"}, {Name: "plugin"}, {Name: "apply"}, {Name: "status"}, {Name: "secret", Hidden: true}}
	for typed, want := range map[string]string{
		"plna": "plan", "pla": "plan", "paln": "plan", "plug": "plugin", "aply": "apply", "sttaus": "status", "statsu": "status",
		"foo": "", "x": "", "frobnicate": "", "secre": "", "": "",
	} {
		if got := nearest(typed, commands); got != want {
			t.Errorf("nearest(%q) = %q, want %q", typed, got, want)
		}
	}
}
