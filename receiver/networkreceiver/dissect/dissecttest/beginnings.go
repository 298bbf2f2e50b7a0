// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissecttest

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

// Beginning is how a connection of a fixture began: what a probe is shown.
type Beginning struct {
	Name           string // of the file, and the local address
	Transport      capture.Transport
	Client, Server []byte // the first bytes, or the first datagram, of who opened it and of the other end
}

// Beginnings returns the beginnings of all connections in the captures and scripts of a
// folder that were seen from their first byte on; of each direction at most n bytes.
func Beginnings(tb testing.TB, folder string, n int) (all []Beginning) {
	tb.Helper()
	captures, err := filepath.Glob(filepath.Join(folder, "*.pcap*"))
	require.NoError(tb, err)
	for _, file := range captures {
		c := collector{file: filepath.Base(file), most: n, memory: budget.New(memory)}
		source := pcap.New(pcap.Settings{Files: []string{file}}, zap.NewNop(), &pcap.Stats{})
		table := conn.NewTable(conn.Settings{}, c.memory, &c, &conn.Stats{})
		require.NoError(tb, source.Start(tb.Context()))
		require.NoError(tb, source.Run(tb.Context(), 0, table))
		require.NoError(tb, source.Close())
		table.Shutdown(0)
		all = append(all, c.done...)
	}
	if scripts, err := filepath.Glob(filepath.Join(folder, "*.script")); err != nil || len(scripts) == 0 {
		require.NoError(tb, err)
		return all
	}
	for _, script := range Load(tb, filepath.Join(folder, "*.script")) {
		c := collector{file: script.Name, most: n, memory: budget.New(memory)}
		script.Play(&c, c.memory, nil)
		all = append(all, c.done...)
	}
	return all
}

// collector is a conn.Sink that keeps the first bytes of each direction.
type collector struct {
	file   string
	most   int
	memory *budget.Budget
	done   []Beginning
}

// started is what has been seen of a connection.
type started struct {
	first [2][]byte
	stop  [2]bool // nothing more is kept
}

func (k *collector) Open(c *conn.Conn) {
	c.Session = &started{stop: [2]bool{c.Midway, c.Midway}}
}

func (k *collector) Data(c *conn.Conn, d conn.Dir, _ conn.Mark, b []byte) {
	s := c.Session.(*started)
	if s.stop[d] {
		return
	}
	s.first[d] = append(s.first[d], b[:min(len(b), k.most-len(s.first[d]))]...)
	s.stop[d] = c.Transport == capture.UDP || len(s.first[d]) == k.most
}

func (k *collector) Gap(c *conn.Conn, d conn.Dir, _ conn.Mark, _ uint64) {
	c.Session.(*started).stop[d] = true
}

func (k *collector) Close(c *conn.Conn, _ int64, _ conn.Reason) {
	s := c.Session.(*started)
	client := conn.Out
	if c.Initiator == conn.InitiatorRemote {
		client = conn.In
	}
	if c.Midway || len(s.first[0])+len(s.first[1]) == 0 {
		return
	}
	k.done = append(k.done, Beginning{
		Name: filepath.Base(k.file) + " " + c.Local.String(), Transport: c.Transport, Client: s.first[client], Server: s.first[client.Other()],
	})
}

func (k *collector) Spared(*conn.Conn, conn.Dir, conn.Mark, uint64) {}
func (k *collector) Plain(*conn.Conn, conn.Dir, conn.Mark, []byte)  {}
func (k *collector) End(*conn.Conn, conn.Dir, int64, conn.Reason)   {}
func (k *collector) Tick(int64)                                     {}
