// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/receiver"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// fakeSource is a source of one shard whose segments a test makes.
type fakeSource struct {
	mu       sync.Mutex
	segments chan *capture.Segment
	startErr error
	runErr   error
	closed   int
	port     uint16
}

func newFakeSource() *fakeSource {
	return &fakeSource{segments: make(chan *capture.Segment, 1000)}
}

func (f *fakeSource) factoryFunc() sourceFunc {
	return func(*Config, receiver.Settings) (source, error) { return source{Source: f}, nil }
}

func (f *fakeSource) Shards() int                 { return 1 }
func (f *fakeSource) Start(context.Context) error { return f.startErr }

func (f *fakeSource) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return nil
}

func (f *fakeSource) Run(ctx context.Context, _ int, h capture.Handler) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case seg := <-f.segments:
			h.Segment(seg)
		case <-tick.C:
			if f.runErr != nil {
				return f.runErr
			}
			h.Tick(time.Now().UnixNano())
		case <-ctx.Done():
			for {
				select {
				case seg := <-f.segments:
					h.Segment(seg)
				default:
					return nil
				}
			}
		}
	}
}

// send captures one datagram from a client port of its own.
func (f *fakeSource) send(payload string) {
	f.mu.Lock()
	f.port++
	client := netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), 1024+f.port%60000)
	f.mu.Unlock()
	f.segments <- &capture.Segment{
		Time: time.Now().UnixNano(), Transport: capture.UDP,
		Source: client, Destination: netip.MustParseAddrPort("10.0.0.2:7777"),
		Payload: []byte(payload), WireLen: len(payload),
	}
}

// idDissector finds a protocol whose every datagram "id:X" is a message.
type idDissector struct{}

const idPrefix = "id:"

func (idDissector) Info() dissect.Info {
	return dissect.Info{
		Name: "id", Transport: capture.UDP, ProbeBytes: 16,
		Limits: dissect.Limits{HeaderBytes: 1 << 10, BodyBytes: 1 << 10, Outstanding: 10, Age: int64(time.Second)},
	}
}

func (idDissector) Probe(client, server []byte) dissect.Verdict {
	if strings.HasPrefix(string(client), idPrefix) {
		return dissect.Yes
	}
	if strings.HasPrefix(string(server), idPrefix) {
		return dissect.Reversed
	}
	return dissect.No
}

func (idDissector) New(_ dissect.Limits, sink dissect.Sink) dissect.Conversation {
	return idConversation{sink}
}

func (idDissector) Describe(_ dissect.Side, req, _ *dissect.Message, out dissect.Attributes) dissect.Summary {
	out.Str("test_id", req.Protocol.(string))
	return dissect.Summary{Name: "id"}
}

type idConversation struct{ sink dissect.Sink }

func (c idConversation) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	c.sink.Message(&dissect.Message{
		Kind: dissect.OneWay, Direction: d, First: m.At(0), Last: m.At(len(b) - 1), Size: uint64(len(b)),
		Protocol: strings.TrimPrefix(string(b), idPrefix),
	})
	return len(b), 0, nil
}

func (idConversation) Gap(dissect.Direction, conn.Mark, uint64) bool { return true }
func (idConversation) End(dissect.Direction, int64, conn.Reason)     {}
