package pluginhost

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/go-plugin"

	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
)

// checkHandshake judges the line that a plugin prints first:
//
//	core|protocol|network|address|transport|certificate
//
// as docs/protocol.md describes it.
func checkHandshake(line string) error {
	line = strings.TrimSpace(line)
	parts := strings.Split(line, "|")
	if len(parts) < 2 {
		return fmt.Errorf("its first line is not a plugin's: %s", shown(line))
	}
	core, errCore := strconv.Atoi(parts[0])
	version, errVersion := strconv.Atoi(parts[1])
	switch {
	case errCore != nil || errVersion != nil:
		return fmt.Errorf("its first line is not a plugin's: %s", shown(line))
	case core != plugin.CoreProtocolVersion:
		return fmt.Errorf("it speaks version %d of go-plugin's handshake, this clusterctl version %d", core, plugin.CoreProtocolVersion)
	case version != rpc.ProtocolVersion:
		return fmt.Errorf("it speaks protocol version %d, this clusterctl version %d; install releases that fit", version, rpc.ProtocolVersion)
	case len(parts) < 6 || parts[5] == "":
		return fmt.Errorf("it offers no certificate, so that anyone on this machine could speak to it: %s", shown(line))
	case parts[4] != string(plugin.ProtocolGRPC):
		return fmt.Errorf("it speaks %s, not gRPC", shown(parts[4]))
	}
	return nil
}

// shown quotes a little of what a plugin printed.
func shown(line string) string {
	const enough = 80
	line = clean(line)
	if r := []rune(line); len(r) > enough {
		line = string(r[:enough]) + "…"
	}
	if line == "" {
		return "it is empty"
	}
	return strconv.Quote(line)
}
