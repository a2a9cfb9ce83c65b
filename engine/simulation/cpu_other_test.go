//go:build !unix

package simulation

import "time"

func worked() time.Duration { return 0 }
