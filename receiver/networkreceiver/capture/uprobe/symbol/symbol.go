// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package symbol finds the TLS implementations in an executable or library: which
// they are, where their functions begin and return, and where their objects keep
// the socket. It reads files only; placing uprobes is its user's business. Files
// are the property of the watched processes, so nothing in them is believed.
package symbol // import "github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"

import "debug/elf"

// Kind is a TLS implementation.
type Kind uint8

// The implementations that are recognised.
const (
	OpenSSL Kind = iota
	BoringSSL
	LibreSSL
	GnuTLS
	NSS
	NSPR // the sockets below NSS; no TLS of its own, but the layout to reach them
	Rustls
	Go // crypto/tls
	kinds
)

// Kinds is the number of kinds, for tables indexed by Kind.
const Kinds = int(kinds)

func (k Kind) String() string {
	return [...]string{"openssl", "boringssl", "libressl", "gnutls", "nss", "nspr", "rustls", "go"}[k]
}

// Reason says why a file gave no function to probe, or fewer than there could be.
type Reason uint8

// Reasons.
const (
	None               Reason = iota
	NoLibrary                 // no TLS implementation was recognised
	Stripped                  // there is one, but nothing says where its functions are
	UnsupportedVersion        // there is one, of a version whose layout is not known
	UnsupportedMachine        // neither x86-64 nor 64-bit ARM, or not the byte order of it
	Malformed                 // not an ELF file, or one that contradicts itself
	TooLarge                  // a part that must be read is beyond the bounds
	reasons
)

// Reasons is the number of reasons, for tables indexed by Reason.
const Reasons = int(reasons)

func (r Reason) String() string {
	return [...]string{
		"none", "no_library", "stripped", "unsupported_version", "unsupported_machine", "malformed", "too_large",
	}[r]
}

// Image is what one file has of TLS. It is immutable.
type Image struct {
	Machine elf.Machine // EM_X86_64 or EM_AARCH64
	BuildID string      // GNU build id in hexadecimal digits, else Go's own; may be empty
	// Libraries are the implementations in this file, in the order of their kinds.
	// More than one is possible: a Go program may link OpenSSL statically.
	Libraries []Library
	// Reason is None where a library with functions was found.
	Reason Reason
}

// Library is one TLS implementation in a file.
type Library struct {
	Kind    Kind
	Version string // as the file tells it ("3.0.15", "go1.26.8"); may be empty
	// Functions are sorted by name, then offset. A name comes more than once where
	// the compiler made copies.
	Functions []Function
	// Reason says what is missing: None, Stripped, UnsupportedVersion or TooLarge.
	// It may be set although there are functions (their layout is not known then).
	Reason Reason

	// At most the one of this library's kind is set; nil where it is not known.
	SSL    *SSLLayout    // OpenSSL, BoringSSL, LibreSSL
	GnuTLS *GnuTLSLayout // GnuTLS
	NSPR   *NSPRLayout   // NSPR
	Go     *GoLayout     // Go
}

// Function is one place for probes.
type Function struct {
	// Name is one of the constants of this package.
	Name string
	// Offset is where the function begins, in bytes from the start of the file:
	// what perf_event_open calls probe_offset.
	Offset uint64
	// Returns are the offsets of its return instructions, ascending. They are given
	// for Go, where a probe on the return address would break stacks that move; a
	// return probe is right elsewhere.
	Returns []uint64
	// Copy is, in Go's Read on x86-64, the offset of the call of memmove that gives the
	// program its data: from RBX, RCX bytes. The tls.Conn is then at RBP+16. It is 0 where there
	// is no such call, or more than one.
	Copy uint64
	// Sent are, in Go's Write on x86-64, the offsets of the first jump or call behind each call
	// of GoWriteRecord, ascending. They are not given if one is unknown.
	Sent []uint64
}

// SSLLayout is where an SSL object keeps its socket. The file descriptor of what is
// read is ((SSL*)->RBIO)->Num, if the BIO's method is of a type that has one.
type SSLLayout struct {
	RBIO   uint32 // offset of the BIO* that is read from, in SSL
	WBIO   uint32 // offset of the BIO* that is written to, in SSL
	Method uint32 // offset of the BIO_METHOD*, in BIO; an int at its start is the type
	Num    uint32 // offset of the int that is the file descriptor, in BIO
}

// BIOTypeDescriptor is the bit in a BIO_METHOD's type that says that num is a file
// descriptor (BIO_TYPE_DESCRIPTOR in openssl/bio.h). BIO_TYPE_SOCKET and
// BIO_TYPE_CONNECT have it, a BIO in memory has not.
const BIOTypeDescriptor = 0x0100

// GnuTLSLayout is where a gnutls_session_t keeps its socket, if the program did not
// replace the transport functions: then it is whatever the program put there.
type GnuTLSLayout struct {
	RecvPointer uint32 // offset of the descriptor (an int in a pointer) that is read from
	SendPointer uint32 // offset of the one that is written to
}

// NSPRLayout is the way from a PRFileDesc to its socket: follow Lower until it is
// null, then Secret, then Descriptor.
type NSPRLayout struct {
	Secret     uint32 // offset of the PRFilePrivate*, in PRFileDesc
	Lower      uint32 // offset of the next PRFileDesc*, in PRFileDesc
	Descriptor uint32 // offset of the int that is the file descriptor, in PRFilePrivate
}

// GoLayout is how a Go program calls, and where a tls.Conn keeps its socket: it has
// an interface (itab, pointer) at Conn; if the itab is of *net.TCPConn, the pointer
// leads to a net.TCPConn, which has a *netFD at FD, which has the descriptor (an int
// of 8 bytes) at Sysfd.
type GoLayout struct {
	// RegisterABI says that arguments and results are in registers (ABIInternal: on
	// x86-64 RAX, RBX, RCX, RDI, RSI, R8 …; on ARM R0, R1, R2 …) and the goroutine
	// in R14 or R28. Else they are on the stack, above the return address (x86-64)
	// or 8 bytes above SP (ARM), results after arguments.
	RegisterABI bool
	// GoroutineTLS is, on x86-64 without RegisterABI, where the pointer to the
	// goroutine is relative to the thread pointer (FS base).
	GoroutineTLS int64

	Conn  uint32 // offset of the net.Conn in tls.Conn
	FD    uint32 // offset of the *netFD in net.TCPConn
	Sysfd uint32 // offset of the descriptor in netFD

	// TCPConnHash is the hash of the type *net.TCPConn, a uint32 that every itab of
	// it has at ItabHash. It does not change with the place where a program is
	// loaded, and is the same in all programs of a version of Go. A version that is
	// newer than this package may have another one, which matches nothing.
	TCPConnHash uint32
}

// ItabHash is the offset of the hash of the dynamic type in a Go itab.
const ItabHash = 16

// Names of functions, by implementation. The first three kinds share theirs.
const (
	SSLWrite          = "SSL_write"
	SSLWriteEx        = "SSL_write_ex"
	SSLWriteEx2       = "SSL_write_ex2"
	SSLRead           = "SSL_read"
	SSLReadEx         = "SSL_read_ex"
	SSLPeek           = "SSL_peek"
	SSLPeekEx         = "SSL_peek_ex"
	SSLDoHandshake    = "SSL_do_handshake"
	SSLConnect        = "SSL_connect"
	SSLAccept         = "SSL_accept"
	SSLShutdown       = "SSL_shutdown"
	SSLFree           = "SSL_free"
	SSLSendfile       = "SSL_sendfile"
	SSLReadEarlyData  = "SSL_read_early_data"
	SSLWriteEarlyData = "SSL_write_early_data"
	SSLSetFD          = "SSL_set_fd"
	SSLSetBIO         = "SSL_set_bio"

	GnuTLSRecordSend     = "gnutls_record_send"
	GnuTLSRecordSend2    = "gnutls_record_send2"
	GnuTLSRecordSendFile = "gnutls_record_send_file"
	GnuTLSRecordRecv     = "gnutls_record_recv"
	GnuTLSRecordRecvSeq  = "gnutls_record_recv_seq"
	GnuTLSRecordUncork   = "gnutls_record_uncork"
	GnuTLSHandshake      = "gnutls_handshake"
	GnuTLSBye            = "gnutls_bye"
	GnuTLSDeinit         = "gnutls_deinit"
)

// Functions of NSS are its I/O methods: NSPR calls them for a socket that has a TLS
// layer, and for no other. Their first argument is the PRFileDesc of that layer, as is that
// of the function by which a program wants the handshake before it sends anything.
const (
	NSSHandshake = "SSL_ForceHandshake"

	NSSRead  = "ssl_Read"
	NSSWrite = "ssl_Write"
	NSSRecv  = "ssl_Recv"
	NSSSend  = "ssl_Send"
	NSSClose = "ssl_Close"
)

// Functions of Go begin anew after their stack has been moved: an entry may be seen
// twice in a row for the same goroutine.
const (
	GoWrite     = "crypto/tls.(*Conn).Write"
	GoRead      = "crypto/tls.(*Conn).Read"
	GoHandshake = "crypto/tls.(*Conn).handshakeContext" // (*Conn).Handshake before Go 1.17
	// GoWriteRecord is called by Write, and for all other records too: (*Conn, type, data).
	// Its returns are not given.
	GoWriteRecord = "crypto/tls.(*Conn).writeRecordLocked"
	// GoClientHandshake and GoServerHandshake are the two ways of a handshake; their
	// returns are not given.
	GoClientHandshake = "crypto/tls.(*Conn).clientHandshake"
	GoServerHandshake = "crypto/tls.(*Conn).serverHandshake"

	GoClose      = "crypto/tls.(*Conn).Close"
	GoCloseWrite = "crypto/tls.(*Conn).CloseWrite"
)

// Functions of rustls have mangled names; these are ours. Both take an object, a
// pointer and a length, and give a Result<usize, io::Error>: 0 and the number of
// bytes, or 1 and the error, in RAX and RDX, or X0 and X1. The object of the one that
// writes is the connection; that of the one that reads is made for the call and begins
// with a pointer into the connection. Neither calls the socket: what moves records to
// and from it does, which gives a larger Result and so has its object in RSI, or X0.
const (
	RustlsWrite  = "rustls write"
	RustlsRead   = "rustls read"
	RustlsSocket = "rustls socket" // ConnectionCommon::complete_io
	RustlsDrop   = "rustls drop"   // of a ConnectionCommon
)
