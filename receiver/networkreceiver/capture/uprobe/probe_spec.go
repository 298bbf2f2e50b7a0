// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"cmp"

	"github.com/wirespan/wirespan/bpf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// What a library's function does.
const (
	handshake = uint8(bpf.TLSOperationOPERATION_HANDSHAKE)
	write     = uint8(bpf.TLSOperationOPERATION_WRITE)
	read      = uint8(bpf.TLSOperationOPERATION_READ)
	flush     = uint8(bpf.TLSOperationOPERATION_FLUSH)
	early     = uint8(bpf.TLSOperationOPERATION_EARLY)
)

// How it reports how many bytes it took.
const (
	returnsInt  = uint8(bpf.TLSOutcomeOUTCOME_INT)
	returnsLong = uint8(bpf.TLSOutcomeOUTCOME_LONG)
	stores4     = uint8(bpf.TLSOutcomeOUTCOME_STORED4)
	stores5     = uint8(bpf.TLSOutcomeOUTCOME_STORED5)
	goRegisters = uint8(bpf.TLSOutcomeOUTCOME_GO_REGISTERS)
	goStack     = uint8(bpf.TLSOutcomeOUTCOME_GO_STACK)
	returnsRust = uint8(bpf.TLSOutcomeOUTCOME_RUST)
	goRecords   = uint8(bpf.TLSOutcomeOUTCOME_GO_RECORD)
)

// How its object leads to the socket.
const (
	wayNone    = uint8(bpf.TLSWayWAY_NONE)
	waySSL     = uint8(bpf.TLSWayWAY_SSL)
	waySession = uint8(bpf.TLSWayWAY_SESSION)
	wayGo      = uint8(bpf.TLSWayWAY_GO)
)

// probeSpec is what the kernel's programs are told about a function.
type probeSpec struct {
	operation, outcome, way uint8
	a, b, c                 uint32
	hash                    uint32 // of *net.TCPConn's type
}

// cookie returns the form of bpf/lib/tls/probe_spec.h. A way whose offsets do not fit is left out.
func (p probeSpec) cookie() uint64 {
	c := uint64(p.operation) | uint64(p.outcome)<<4
	if p.way == wayNone || max(p.a, p.b, p.c) > 0xffff {
		return c
	}
	if p.way == wayGo {
		return c | uint64(p.way)<<8 | uint64(p.a&0xff)<<16 | uint64(p.c&0xff)<<24 | uint64(p.hash)<<32
	}
	return c | uint64(p.way)<<8 | uint64(p.a)<<16 | uint64(p.b)<<32 | uint64(p.c)<<48
}

// program is one of the kernel's programs. They are placed in this order: what sees an
// object begin comes last, so that nothing of it is missed that counts as seen.
type program uint8

const (
	libraryReturn program = iota
	libraryForget
	libraryEnter
	goEnter
	goReturn
	goCopies
	goHandshake
	programs
)

// point is where one program is placed.
type point struct {
	program program
	offset  uint64 // in the file
	cookie  uint64
}

// use says what a function is for. One of Go that gives an object up is of no use: another
// goroutine may be about to return from it, and the next handshake begins anew anyway.
type use struct {
	operation, outcome uint8
	begin, forget      bool
	once               bool // one probe sees all
}

// SSL_connect and SSL_accept lead to SSL_do_handshake, but not in LibreSSL. What is
// called for early data calls these as well; what writes it, before there is a socket.
var sslUses = map[string]use{
	symbol.SSLDoHandshake:    {operation: handshake},
	symbol.SSLWrite:          {operation: write, outcome: returnsInt},
	symbol.SSLWriteEx:        {operation: write, outcome: stores4},
	symbol.SSLWriteEx2:       {operation: write, outcome: stores5},
	symbol.SSLWriteEarlyData: {operation: early},
	symbol.SSLRead:           {operation: read, outcome: returnsInt},
	symbol.SSLReadEx:         {operation: read, outcome: stores4},
	symbol.SSLFree:           {forget: true},
	readInternal:             {operation: read, outcome: stores4},
	writeInternal:            {operation: write, outcome: stores4},
}

var libreSSLUses = map[string]use{
	symbol.SSLConnect: {operation: handshake},
	symbol.SSLAccept:  {operation: handshake},
}

var gnuTLSUses = map[string]use{
	symbol.GnuTLSHandshake:    {operation: handshake},
	symbol.GnuTLSRecordSend:   {operation: write, outcome: returnsLong},
	symbol.GnuTLSRecordUncork: {operation: flush},
	symbol.GnuTLSRecordRecv:   {operation: read, outcome: returnsLong},
	symbol.GnuTLSDeinit:       {forget: true},
}

var nssUses = map[string]use{
	symbol.NSSHandshake: {operation: handshake},
	symbol.NSSWrite:     {operation: write, outcome: returnsInt},
	symbol.NSSSend:      {operation: write, outcome: returnsInt},
	symbol.NSSRead:      {operation: read, outcome: returnsInt},
	symbol.NSSRecv:      {operation: read, outcome: returnsInt},
	symbol.NSSClose:     {forget: true},
}

var rustlsUses = map[string]use{
	symbol.RustlsSocket: {operation: handshake, outcome: returnsRust},
	symbol.RustlsWrite:  {operation: write, outcome: returnsRust},
	symbol.RustlsRead:   {operation: read, outcome: returnsRust},
	symbol.RustlsDrop:   {forget: true},
}

var goUses = map[string]use{
	symbol.GoClientHandshake: {begin: true},
	symbol.GoServerHandshake: {begin: true},
	symbol.GoWrite:           {operation: write},
	symbol.GoRead:            {operation: read},
	goRecord:                 {operation: write, outcome: goRecords},
	goCopy:                   {operation: read, once: true},
}

// points lists where programs are placed for a library.
func points(l *symbol.Library) []point {
	var all []point
	switch l.Kind {
	case symbol.OpenSSL, symbol.BoringSSL:
		all = cPoints(l, sslUses)
	case symbol.LibreSSL:
		all = append(cPoints(l, sslUses), cPoints(l, libreSSLUses)...)
	case symbol.GnuTLS:
		all = cPoints(l, gnuTLSUses)
	case symbol.NSS:
		all = cPoints(l, nssUses)
	case symbol.Rustls:
		all = cPoints(l, rustlsUses)
	case symbol.Go:
		all = goPoints(l)
	}
	return all
}

func cPoints(l *symbol.Library, uses map[string]use) []point {
	var all []point
	for _, f := range l.Functions {
		u, ok := uses[f.Name]
		switch {
		case !ok:
		case u.forget:
			all = append(all, point{program: libraryForget, offset: f.Offset})
		default:
			c := descriptorWay(l, probeSpec{operation: u.operation, outcome: u.outcome}).cookie()
			all = append(all, point{libraryEnter, f.Offset, c}, point{libraryReturn, f.Offset, c})
		}
	}
	return all
}

// descriptorWay adds how the library's objects lead to their socket, if that is known.
func descriptorWay(l *symbol.Library, p probeSpec) probeSpec {
	switch {
	case l.SSL != nil:
		p.way, p.a, p.b, p.c = waySSL, l.SSL.RBIO, l.SSL.Method, l.SSL.Num
		if p.operation == write {
			p.a = l.SSL.WBIO
		}
	case l.GnuTLS != nil:
		p.way, p.a = waySession, l.GnuTLS.RecvPointer
		if p.operation == write {
			p.a = l.GnuTLS.SendPointer
		}
	}
	return p
}

func goPoints(l *symbol.Library) []point {
	if l.Go == nil {
		return nil
	}
	var p probeSpec
	convention := goRegisters
	if !l.Go.RegisterABI {
		convention = goStack
	}
	if l.Go.FD == 0 && max(l.Go.Conn, l.Go.Sysfd) <= 0xff {
		p.way, p.a, p.c, p.hash = wayGo, l.Go.Conn, l.Go.Sysfd, l.Go.TCPConnHash
	}
	var all []point
	for _, f := range l.Functions {
		u, ok := goUses[f.Name]
		if !ok || (!u.begin && !u.once && len(f.Returns) == 0) {
			continue
		}
		p.operation, p.outcome = u.operation, cmp.Or(u.outcome, convention)
		switch {
		case u.begin:
			all = append(all, point{goHandshake, f.Offset, p.cookie()})
		case u.once:
			all = append(all, point{goCopies, f.Offset, p.cookie()})
		default:
			all = append(all, point{goEnter, f.Offset, p.cookie()})
			for _, at := range f.Returns {
				all = append(all, point{goReturn, at, p.cookie()})
			}
		}
	}
	return all
}
