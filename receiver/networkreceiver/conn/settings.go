// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"time"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// Settings bound what a Table holds. All limits are per shard. A field that is
// zero has its default.
type Settings struct {
	// MaxConnections is how many connections are followed at a time. Beyond it
	// the oldest idle one is evicted, a half-open one if they are many.
	MaxConnections int
	// MaxHeldBytes and MaxHeldSegments bound what one direction holds behind a
	// hole. Beyond them the hole is declared lost.
	MaxHeldBytes    int
	MaxHeldSegments int
	// MaxPending bounds the handshakes of listening sockets whose accepted
	// socket has not shown itself yet.
	MaxPending int
	// MaxClosed bounds the closed connections that are remembered, so that late
	// segments do not open them again.
	MaxClosed int
	// MaxOwners bounds the owners of sockets that have no open connection.
	MaxOwners int

	TCPIdleTimeout  time.Duration
	UDPIdleTimeout  time.Duration // also for datagrams in one direction only
	HalfOpenTimeout time.Duration // handshakes that do not complete
	HoleTimeout     time.Duration // how long a missing segment may come late
	ClosedTimeout   time.Duration // how long a closed connection is remembered

	// SessionBytes is what later stages hold of each connection in any case.
	SessionBytes int

	// OwnPID is the process whose connections are not followed, or 0.
	OwnPID int32
	// Trimmer is the source, if it can leave out bytes that nobody needs, or nil.
	Trimmer capture.Trimmer
}

// DefaultSettings gives the defaults.
func DefaultSettings() Settings {
	return Settings{
		MaxConnections:  65536,
		MaxHeldBytes:    1 << 20,
		MaxHeldSegments: 512,
		MaxPending:      8192,
		MaxClosed:       16384,
		MaxOwners:       65536,
		TCPIdleTimeout:  15 * time.Minute,
		UDPIdleTimeout:  30 * time.Second,
		HalfOpenTimeout: time.Minute,
		HoleTimeout:     5 * time.Second,
		ClosedTimeout:   30 * time.Second,
	}
}

// Times that are not worth a setting.
const (
	// closingTimeout is how long the other end may be silent after the local one has
	// sent its FIN. A process that closes a socket leaves the rest to the kernel, where
	// a socket in TIME-WAIT shows nobody the other end's FIN. It is as long as Linux
	// keeps such a socket (tcp_fin_timeout).
	closingTimeout = time.Minute
	// reorderTimeout is how long segments that only the capture put out of order
	// may take.
	reorderTimeout = 50 * time.Millisecond
	// lossyHoleTimeout replaces HoleTimeout for lossyPeriod after the capture
	// lost records: most holes are then its own and never filled.
	lossyHoleTimeout = 250 * time.Millisecond
	lossyPeriod      = 5 * time.Second
)

func (s Settings) withDefaults() Settings {
	d := DefaultSettings()
	orDefault(&s.MaxConnections, d.MaxConnections)
	orDefault(&s.MaxHeldBytes, d.MaxHeldBytes)
	orDefault(&s.MaxHeldSegments, d.MaxHeldSegments)
	orDefault(&s.MaxPending, d.MaxPending)
	orDefault(&s.MaxClosed, d.MaxClosed)
	orDefault(&s.MaxOwners, d.MaxOwners)
	orDefault(&s.TCPIdleTimeout, d.TCPIdleTimeout)
	orDefault(&s.UDPIdleTimeout, d.UDPIdleTimeout)
	orDefault(&s.HalfOpenTimeout, d.HalfOpenTimeout)
	orDefault(&s.HoleTimeout, d.HoleTimeout)
	orDefault(&s.ClosedTimeout, d.ClosedTimeout)
	return s
}

// within lowers what is remembered of connections that are over, and of owners, to a
// sixteenth of the budget each.
func (s Settings) within(b *budget.Budget) Settings {
	if b == nil {
		return s
	}
	most := int(b.Limit() / 16)
	s.MaxClosed = min(s.MaxClosed, max(1, most/closedCost))
	s.MaxOwners = min(s.MaxOwners, max(1, most/ownerCost))
	return s
}

func orDefault[T ~int | ~int64](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
