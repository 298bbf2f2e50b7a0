// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"net/netip"
	"unsafe"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn/reassembly"
)

// maxWireLen is more than any packet has, offloaded ones included.
const maxWireLen = 16 << 20

// Table follows the connections of one shard. It is a [capture.Handler], and like
// its source uses one goroutine.
type Table struct {
	settings  Settings
	budget    *budget.Budget
	cost      int // of a connection
	sink      Sink
	stats     *Stats
	assembler *reassembly.Assembler

	now        int64 // of the last Tick
	lossyUntil int64
	step       uint64 // calls of Segment and Owner, to tell which came later

	sockets   map[uint64]*Conn // live TCP by socket
	flows     map[flow]*Conn   // TCP of capture files
	datagrams map[flow]*Conn   // UDP
	users     map[uint64]*Conn // first UDP connection of a socket
	wires     map[flow]*Conn   // live, by what both ends of a connection see

	queues [queues]list[Conn] // all connections, each queue oldest idle first
	holes  list[half]         // directions that hold segments behind a hole
	soon   list[half]         // directions that wait for the capture's reordering
	owed   list[half]         // directions whose end waits for their plaintext

	handshakes handshakes
	owners     owners
	early      earlyPlain
	closedLive recentlyClosed[uint64]
	closedFile recentlyClosed[flow]
	sizes      mapSizes
}

var _ capture.Handler = (*Table)(nil)

// queue tells how soon a connection may be evicted, and when it is idle.
type queue uint8

const (
	halfOpenTCP queue = iota // handshake not complete
	halfOpenUDP              // datagrams in one direction only
	overTCP                  // both ends are done; plaintext may still come
	resetTCP                 // reset, as far as is known
	closingTCP               // the local end has sent its FIN
	openTCP
	openUDP
	queues
)

// tableState is what Table knows about a connection.
type tableState struct {
	halves [2]half
	flow   flow    // key in flows or datagrams
	alias  flow    // second key in datagrams, where addresses are translated
	seen   [2]bool // directions
	half   bool    // half-open
	active uint64  // step of the last segment
	owned  uint64  // step of the last owner

	node node[Conn]

	postponed *postponed // in a capture file
	reset     *pendingReset
	syn       *capture.Segment // of a connection that may replace this one; in a capture file
	// over is why the connection has ended, at overAt, while it is in overTCP.
	over   Reason
	overAt int64

	wire                 flow // key in wires
	wireLocal, wireOther netip.AddrPort
	wireNext             *Conn // same key in wires
	userNext, userPrev   *Conn // same key in users
}

// connCost is what a connection takes from the budget: itself and its map entries.
const connCost = int(unsafe.Sizeof(Conn{}))*9/8 + 256

// NewTable gives an empty table.
func NewTable(settings Settings, b *budget.Budget, sink Sink, stats *Stats) *Table {
	settings = settings.withDefaults().within(b)
	return &Table{
		settings:   settings,
		budget:     b,
		cost:       connCost + settings.SessionBytes,
		sink:       sink,
		stats:      stats,
		assembler:  reassembly.NewAssembler(settings.MaxHeldBytes, settings.MaxHeldSegments, b),
		sockets:    map[uint64]*Conn{},
		flows:      map[flow]*Conn{},
		datagrams:  map[flow]*Conn{},
		users:      map[uint64]*Conn{},
		wires:      map[flow]*Conn{},
		handshakes: newHandshakes(&settings, b, stats),
		owners:     newOwners(&settings, b, stats),
		early:      earlyPlain{budget: b, stats: stats},
		closedLive: newRecentlyClosed[uint64](&settings, b, stats),
		closedFile: newRecentlyClosed[flow](&settings, b, stats),
	}
}

// Segment takes one segment.
func (t *Table) Segment(seg *capture.Segment) {
	t.stats.Segments.Add(1)
	t.step++
	if t.now == 0 {
		t.now = seg.Time
	}
	if seg.WireLen < len(seg.Payload) || seg.WireLen > maxWireLen {
		t.stats.Malformed.Add(1)
		return
	}
	switch {
	case seg.Transport == capture.UDP:
		t.datagram(seg)
	case seg.Transport != capture.TCP:
		t.stats.Malformed.Add(1)
	case seg.Listener:
		t.listen(seg)
	default:
		t.tcp(seg)
	}
	t.relieve()
}

// Lost says that the capture lost records: for a while holes are given up soon.
func (t *Table) Lost(n uint64, _ capture.LossReason) {
	t.stats.Records.Add(n)
	t.lossyUntil = t.now + int64(lossyPeriod)
}

// lossy reports whether the capture lost records a short while ago.
func (t *Table) lossy() bool { return t.now < t.lossyUntil }

// Tick gives up holes and ends connections whose time is over.
func (t *Table) Tick(now int64) {
	t.now = now
	t.expireHoles()
	t.expireConnections()
	t.handshakes.expire(now)
	t.early.expire(now)
	t.expireOwed()
	t.closedLive.expire(now)
	t.closedFile.expire(now)
	t.relieve()
	t.compactMaps()
	t.sink.Tick(now)
}

// Shutdown delivers what is held and closes every connection. The table is empty
// afterwards. A time that is earlier than that of the last Tick means that one: a
// capture file ends in its own time.
func (t *Table) Shutdown(now int64) {
	now = max(now, t.now)
	t.now = now
	for q := range t.queues {
		for c := t.queues[q].oldest(); c != nil; c = t.queues[q].oldest() {
			t.close(c, now, ReasonShutdown)
		}
	}
	t.handshakes.clear()
	t.owners.clear()
	t.early.clear()
	t.closedLive.clear()
	t.closedFile.clear()
}
