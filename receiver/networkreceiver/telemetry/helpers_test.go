// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// fake is a dissector whose messages carry their own description.
type fake struct {
	dissect.Dissector
	name string
}

type fakeRequest struct{ method, url, path, query string }

type fakeResponse struct {
	status int64
	told   string // of an error
}

func (f fake) Info() dissect.Info {
	info := dissect.Info{Name: f.name, Transport: capture.TCP}
	if f.name == "http" {
		info.Request, info.Response = http.Dissector{}.Info().Request, http.Dissector{}.Info().Response
	}
	return info
}

func (f fake) Describe(side dissect.Side, req, resp *dissect.Message, out dissect.Attributes) (s dissect.Summary) {
	s.Name = "HTTP"
	if req != nil {
		r := req.Protocol.(*fakeRequest)
		s.Name = r.method
		out.Str("http.request.method", r.method)
		s.Route = dissect.Route{Path: r.path, Served: resp != nil, Named: true}
		if side == dissect.ClientSide {
			out.Str("url.full", r.url)
			out.Str("server.address", "shop.example")
			out.Int("server.port", 80)
		} else {
			out.Str("url.path", r.path)
			out.Str("url.query", r.query)
		}
	}
	if resp != nil {
		r := resp.Protocol.(*fakeResponse)
		out.Int("http.response.status_code", r.status)
		out.Str("network.protocol.version", "1.1")
		if r.status >= 500 {
			s.Error, s.ErrorType = true, "500"
		}
		if s.Status = r.told; r.told != "" {
			s.Error, s.ErrorType = true, "told"
		}
	}
	return s
}

// start is when the calls of tests begin, Unix ns.
const start = int64(1_700_000_000_000_000_000)

func mark(after int64, seq, ack uint32) conn.Mark {
	return conn.Mark{Time: start + after, Seq: seq, Ack: ack, Offset: uint64(seq)}
}

// get is a whole call, seen from the client.
func get() *pair.Exchange {
	return &pair.Exchange{
		Conn: &conn.Conn{
			Transport: capture.TCP, Live: true, Socket: 7,
			Local: netip.MustParseAddrPort("10.0.0.1:40000"), Remote: netip.MustParseAddrPort("10.0.0.2:80"),
			Initiator: conn.InitiatorLocal, Started: start - 3_000_000, Established: start - 1_000_000,
			Process: &capture.Process{
				PID: 1234, ParentPID: 1, StartTime: start - 1e9, Name: "curl", Executable: "/usr/bin/curl",
				CommandLine: []string{"curl", "http://shop.example/cart"}, CgroupPath: "/user.slice",
			},
		},
		Dissector:     fake{name: "http"},
		ClientIsLocal: true,
		First:         true,
		Request: &dissect.Message{
			Kind: dissect.Request, First: mark(0, 1000, 5000), Last: mark(1_000, 1099, 5000), Size: 100,
			Content: dissect.Content{
				Headers: []dissect.Header{{Name: "Host", Value: "shop.example"}, {Name: "Accept", Value: "a"}, {Name: "accept", Value: "b"}},
				Body:    []byte(`{"q":"ä"}`), MediaType: "application/json", BodySize: 10, KeptSize: 10,
			},
			Protocol: &fakeRequest{method: "POST", url: "http://shop.example/cart?id=1", path: "/cart", query: "id=1"},
			Reserved: 10,
		},
		Response: &dissect.Message{
			Kind: dissect.Response, Direction: dissect.ToClient, First: mark(2_000_000, 5000, 1100), Last: mark(3_000_000, 5199, 1100), Size: 200,
			Content: dissect.Content{
				Headers: []dissect.Header{{Name: "Content-Type", Value: "application/json"}},
				Body:    []byte(`{"ok":true}`), MediaType: "application/json", BodySize: 11, KeptSize: 11,
			},
			Protocol: &fakeResponse{status: 200},
			Reserved: 11,
		},
	}
}

// fromServer is the same call as the server's end captures it.
func fromServer(x *pair.Exchange) *pair.Exchange {
	c := *x.Conn
	c.Local, c.Remote = c.Remote, c.Local
	c.Initiator = conn.InitiatorRemote
	c.Process = &capture.Process{PID: 99, Name: "nginx", Executable: "/usr/sbin/nginx"}
	other := *x
	other.Conn, other.ClientIsLocal = &c, false
	return &other
}

// recorder keeps batches.
type recorder struct {
	traces []ptrace.Traces
	logs   []plog.Logs
	spans  int
	lines  int
}

func (r *recorder) Traces(_ Class, td ptrace.Traces, _ int) {
	r.traces = append(r.traces, td)
	r.spans += td.SpanCount()
}

func (r *recorder) Logs(_ Class, ld plog.Logs, _ int) {
	r.logs = append(r.logs, ld)
	r.lines += ld.LogRecordCount()
}

const observed = start + 5_000_000

func testSettings(change ...func(*Settings)) Settings {
	s := DefaultSettings()
	s.Version, s.HostName = "1.2.3", "node-1"
	s.Now = func() int64 { return observed }
	for _, f := range change {
		f(&s)
	}
	return s
}

// built is one call's records.
type built struct {
	span  ptrace.Span
	log   plog.LogRecord
	res   pcommon.Map
	attrs map[string]any // of the span
	lattr map[string]any // of the log record
	body  map[string]any // of the log record
	stats *Stats
}

// build runs one exchange and wants one span and one log record.
func build(t testing.TB, x *pair.Exchange, change ...func(*Settings)) built {
	t.Helper()
	var rec recorder
	stats := &Stats{}
	b := New(testSettings(change...), budget.New(1<<20), &rec, stats)
	b.Exchange(x)
	b.Flush()
	require.Len(t, rec.traces, 1)
	require.Len(t, rec.logs, 1)
	require.Equal(t, 1, rec.spans)
	require.Equal(t, 1, rec.lines)
	rs := rec.traces[0].ResourceSpans().At(0)
	out := built{span: rs.ScopeSpans().At(0).Spans().At(0), log: rec.logs[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0), res: rs.Resource().Attributes(), stats: stats}
	out.attrs, out.lattr = out.span.Attributes().AsRaw(), out.log.Attributes().AsRaw()
	if out.log.Body().Type() == pcommon.ValueTypeMap {
		out.body = out.log.Body().Map().AsRaw()
	}
	return out
}
