// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRustlsNames has names as rustc 1.95 gives them to rustls 0.20.8, in both
// schemes, and as they are since 0.21.
func TestRustlsNames(t *testing.T) {
	for mangled, want := range map[string]string{
		"_ZN54_$LT$rustls..conn..Reader$u20$as$u20$std..io..Read$GT$4read17h15ad2d8e58edd685E":                                                                                    RustlsRead,
		"_ZN66_$LT$rustls..conn..connection..Reader$u20$as$u20$std..io..Read$GT$4read17h15ad2d8e58edd685E":                                                                        RustlsRead,
		"_ZN87_$LT$rustls..conn..ConnectionCommon$LT$T$GT$$u20$as$u20$rustls..conn..PlaintextSink$GT$5write17hd28fdcd76f20662cE":                                                  RustlsWrite,
		"_ZN87_$LT$rustls..conn..ConnectionCommon$LT$T$GT$$u20$as$u20$rustls..conn..PlaintextSink$GT$5write17hd28fdcd76f20662cE.llvm.17619371189893908121":                        RustlsWrite,
		"_RNvXs2_NtCsbGCjeC0nr2h_6rustls4connNtB5_6ReaderNtNtCsjrHSEGnQ3l9_3std2io4Read4read":                                                                                     RustlsRead,
		"_RNvXs3_NtCsbGCjeC0nr2h_6rustls4connINtB5_16ConnectionCommonNtNtNtB7_6client11client_conn20ClientConnectionDataENtB5_13PlaintextSink5writeCs8zc4K25B45W_4prog":           RustlsWrite,
		"_RNvXs3_NtCsbGCjeC0nr2h_6rustls4connINtB5_16ConnectionCommonNtNtNtB7_6client11client_conn20ClientConnectionDataENtB5_13PlaintextSink14write_vectoredCs8zc4K25B45W_4prog": "",
		"_RNvXs3_NtCsbGCjeC0nr2h_6rustls4connINtB5_16ConnectionCommonNtNtNtB7_6client11client_conn20ClientConnectionDataENtB5_13PlaintextSink5flushCs8zc4K25B45W_4prog":           "",
		"_ZN87_$LT$rustls..conn..ConnectionCommon$LT$T$GT$$u20$as$u20$rustls..conn..PlaintextSink$GT$14write_vectored17hb138e673c500fb55E":                                        "",
		"_ZN69_$LT$rustls..stream..Stream$LT$C$C$T$GT$$u20$as$u20$std..io..Read$GT$4read17h5f674c3b6e3af1e8E":                                                                     "",
		"_ZN55_$LT$rustls..conn..Writer$u20$as$u20$std..io..Write$GT$5write17haa5cc4d6dc6c9ad0E":                                                                                  "",
		"_RNvYINtNtNtCsduwmD7cSIQq_5gimli4read12endian_slice11EndianSliceNtNtB9_9endianity12LittleEndianENtNtB7_6reader6Reader11read_offsetCsjrHSEGnQ3l9_3std":                    "",
		"_ZN6rustls4conn28ConnectionCommon$LT$Data$GT$11complete_io17h24998700057c3d53E":                                                                                          RustlsSocket,
		"_ZN4core3ptr108drop_in_place$LT$rustls..conn..ConnectionCommon$LT$rustls..client..client_conn..ClientConnectionData$GT$$GT$17h22c6d3f3958ae4faE":                         RustlsDrop,
		"_RINvNtCs4NRVxsYgnAr_4core3ptr9drop_glueINtNtCsrGxyASiD4o_6rustls4conn16ConnectionCommonNtNtNtBG_6server11server_conn20ServerConnectionDataEECsbyKmY2wN7DJ_4program":     RustlsDrop,
		"rustls": "",
	} {
		assert.Equal(t, want, rustlsFunction(mangled), mangled)
	}
}

func TestVersions(t *testing.T) {
	for n, want := range map[uint32]string{
		0x1000215f: "1.0.2u", 0x1000200f: "1.0.2", 0x1010117f: "1.1.1w", 0x1010000f: "1.1.0",
		0x30000130: "3.0.19", 0x30500080: "3.5.8", 0x20000000: "2.0.0",
	} {
		assert.Equal(t, want, opensslVersionString(n))
	}
	assert.Equal(t, "1.1.1", highestVersion([]string{"OPENSSL_1_1_0", "OPENSSL_1_1_1", "OPENSSL_1_1_0d", "OTHER_9"}, "OPENSSL_"))
	assert.Equal(t, "3.10.0", highestVersion([]string{"OPENSSL_3.10.0", "OPENSSL_3.9.0"}, "OPENSSL_"))
	assert.Empty(t, highestVersion([]string{"libssl.so.1.1"}, "OPENSSL_"))
	for version, registers := range map[string]bool{"go1.16.15": false, "go1.17": true, "go1.26.8 X:jsonv2": true, "go1.20rc1": true} {
		assert.Equal(t, registers, goLayout(62, version).RegisterABI, version)
	}
	assert.False(t, goLayout(183, "go1.17.13").RegisterABI, "on ARM it came a version later")
	assert.Zero(t, goLayout(183, "go1.17.13").GoroutineTLS)
	assert.Nil(t, goLayout(62, "devel +abc"))
	assert.Nil(t, goLayout(62, "go1.14.15"))
}

// a64 puts instructions together.
func a64(instructions ...uint32) []byte {
	var b []byte
	for _, i := range instructions {
		b = binary.LittleEndian.AppendUint32(b, i)
	}
	return b
}

// TestA64 has getters as compilers make them. Those of OpenSSL are from
// Node.js for ARM, of version 20 (3.0) and 26 (3.5).
func TestA64(t *testing.T) {
	const ret = 0xd65f03c0
	for name, tt := range map[string]struct {
		code []byte
		want value
	}{
		"a member behind a landing pad": {a64(0xd503245f, 0xf9400800, ret), value{kind: member, n: 16, wide: true}},
		"SSL_get_rbio":                  {a64(0xf9400800, ret), value{kind: member, n: 16, wide: true}},
		"SSL_get_wbio": {
			a64(0xaa0003e1, 0xf9401000, 0xb5000060, 0xf9400c20, ret, 0x1401c08f),
			value{kind: member, n: 24, wide: true},
		},
		"SSL_get_rbio since 3.2": {
			a64(0xa9be7bfd, 0xf9000bf3, 0x910003fd, 0xb4000240, 0xb9400009, 0x340001e9, 0x37380109, 0xaa0003e8, 0xaa1f03e0,
				0x36380149, 0xaa0803e0, 0xf9400bf3, 0xa8c27bfd, 0x1400c254, 0xaa0003f3, 0x9400e496, 0xb9400269, 0xaa1303e8,
				0x373fff09, 0xb4000040, 0xf9402800, 0xf9400bf3, 0xa8c27bfd, ret),
			value{kind: member, n: 80, wide: true},
		},
		"a bit that is not set": {a64(0xb9400009, 0x37000049, 0xf9400800, ret), value{kind: member, n: 16, wide: true}},
		"a bit of a pointer":    {a64(0x36000040, 0xf9400800, ret), value{}},
		"zero":                  {a64(0xaa1f03e0, ret), value{kind: constant}},
		"an int":                {a64(0xb9403400, ret), value{kind: member, n: 52}},
		"an int that is sent":   {a64(0xb9803400, ret), value{kind: member, n: 52}},
		"what a member has":     {a64(0xf9400400, 0xb9400000, ret), value{kind: member, n: 8, nested: true}},
		"a constant":            {a64(0x52802fe0, 0x72a20200, ret), value{kind: constant, n: 0x1010017f}},
		"a call":                {a64(0x94000001, ret), value{}},
		"a jump away":           {a64(0x14001000), value{}},
		"a jump back for ever":  {a64(0x14000000), value{}},
		"nothing":               {nil, value{}},
	} {
		assert.Equal(t, tt.want, evaluateARM(tt.code), name)
	}
	assert.Equal(t, []uint64{104}, returnsARM(a64(0xf9400800, ret, 0xf9400800), 100))
	two, returned := loadsARM(a64(0xf9430003, 0xb9000023, 0xf9430400, 0xb9000040, ret)) // gnutls_transport_get_int2
	assert.True(t, returned)
	assert.Equal(t, []load{{first: true, wide: true, offset: 1536}, {first: true, result: true, wide: true, offset: 1544}}, two)
}

// TestX86 has what the tests with real libraries do not.
func TestX86(t *testing.T) {
	for name, tt := range map[string]struct {
		code []byte
		want value
	}{
		"a member at a negative offset": {[]byte{0x48, 0x8b, 0x47, 0xf8, 0xc3}, value{}},
		"a member of another argument":  {[]byte{0x48, 0x8b, 0x46, 0x10, 0xc3}, value{}},
		"a jump back for ever":          {[]byte{0xeb, 0xfe}, value{}},
		"a test of what is not known":   {[]byte{0x48, 0x85, 0xf6, 0x74, 0x00, 0xc3}, value{}},
		"a frame that is left, as in SSL_get_wbio of Node.js 24": {[]byte{
			0x48, 0x85, 0xff, 0x74, 0x58, 0x55, 0x48, 0x89, 0xe5, 0x53, 0x48, 0x89, 0xfb, 0x48, 0x83, 0xec, 0x08, 0x8b, 0x07, 0x85, 0xc0,
			0x74, 0x03, 0xc9, 0xc3, 0x90, 0x48, 0x8b, 0x7b, 0x60, 0x48, 0x85, 0xff, 0x75, 0x09, 0x48, 0x8b, 0x43, 0x58, 0x48, 0x8b, 0x5d, 0xf8,
			0xc9, 0xc3,
		}, value{kind: member, n: 0x58, wide: true}},
		"half an instruction": {[]byte{0x48, 0x8b}, value{}},
		"nothing":             {nil, value{}},
	} {
		assert.Equal(t, tt.want, evaluateX86(tt.code), name)
	}
}
