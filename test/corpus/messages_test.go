// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/grpc"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/websocket"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// webSocketMessage and grpcMessage are what both analysers tell of messages, as a line
// each, with sizes as transferred.
func webSocketMessage(src, dst, opcode string, frames int, size uint64) string {
	return fmt.Sprintf("WebSocket %s, %s to %s, %d bytes in %d frames", opcode, src, dst, size, frames)
}

func grpcMessage(src, dst string, compressed bool, size uint64) string {
	return fmt.Sprintf("gRPC message, %s to %s, %d bytes, compressed %t", src, dst, size, compressed)
}

// messageOf is what Wirespan tells of a message, and its protocol; nothing if the oracle
// tells nothing of its kind.
func messageOf(e *pair.Event) (proto, line string) {
	src, dst := endpoint(e.Conn.Local), endpoint(e.Conn.Remote)
	if (e.Message.Direction == dissect.ToServer) != e.ClientIsLocal {
		src, dst = dst, src
	}
	switch info := e.Message.Protocol.(type) {
	case *websocket.Info:
		return "websocket", webSocketMessage(src, dst, info.Opcode, info.Fragments, e.Message.Content.BodySize)
	case *grpc.EventInfo:
		return "grpc", grpcMessage(src, dst, e.Message.Content.Coding != "", e.Message.Content.BodySize)
	}
	return "", ""
}

// grpcMessagesOf is what Wirespan tells of the messages that are not told while the call
// runs: a direction's only one.
func grpcMessagesOf(x *pair.Exchange, client, server string) (lines []string) {
	add := func(m *dissect.Message, src, dst string) {
		const prefix = 5 // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message
		if m != nil && isGRPC(m) && m.Events == 0 && m.Content.BodySize >= prefix {
			lines = append(lines, grpcMessage(src, dst, false, m.Content.BodySize-prefix))
		}
	}
	add(x.Request, client, server)
	add(x.Response, server, client)
	return lines
}

// isGRPC goes by the header field: the media type is that of what the message says.
func isGRPC(m *dissect.Message) bool {
	return slices.ContainsFunc(m.Content.Headers, func(h dissect.Header) bool {
		return h.Name == "content-type" && strings.HasPrefix(h.Value, "application/grpc")
	})
}

// messageOracle gives the WebSocket and gRPC messages that the other analyser has
// found. It tells WebSocket's frames: those of a message are put together.
func messageOracle(t testing.TB, capture, proto string) (lines []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder(t), "oracle", filepath.Base(capture)+".jsonl"))
	require.NoError(t, err)
	type frame struct {
		K, Proto, Src, Dst      string
		Fin, Opcode, Compressed int
		Length, L16, L64        uint64
	}
	type started struct {
		opcode int
		frames int
		size   uint64
	}
	open := map[string]started{}
	names := map[int]string{1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
	for line := range bytes.Lines(b) {
		var f frame
		require.NoError(t, json.Unmarshal(line, &f), "%s", line)
		switch {
		case f.K != "msg" || f.Proto != proto:
		case proto == "grpc":
			lines = append(lines, grpcMessage(f.Src, f.Dst, f.Compressed != 0, f.Length))
		default:
			m := started{opcode: f.Opcode}
			if f.Opcode == 0 {
				m = open[f.Src]
			}
			m.frames++
			m.size += cmp.Or(f.L64, f.L16, f.Length)
			if f.Fin == 0 {
				open[f.Src] = m
				continue
			}
			lines = append(lines, webSocketMessage(f.Src, f.Dst, names[m.opcode], m.frames, m.size))
		}
	}
	return lines
}

// compareMessages says what differs, with counts.
func compareMessages(oracle, ours []string) (score, map[string]int) {
	s := score{oracle: len(oracle), ours: len(ours)}
	found, left := map[string]int{}, map[string]int{}
	for _, m := range ours {
		left[m]++
	}
	for _, m := range oracle {
		if left[m] == 0 {
			found["missing: "+m]++
			continue
		}
		left[m]--
		s.alike++
	}
	for m, n := range left {
		if n > 0 {
			found["extra: "+m] = n
		}
	}
	return s, found
}
