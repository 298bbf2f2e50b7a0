// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import "strings"

// rustlsPlace is one of the functions through which plaintext goes. A mangled name has
// all the parts, in this order, in one of the two schemes of rustc.
type rustlsPlace struct {
	name       string
	legacy, v0 []string
}

// rustlsPlaces are the same in rustls 0.20 to 0.23. Both are called through traits,
// so that they are functions of their own however much the compiler puts together.
//
//	<rustls::conn::Reader as std::io::Read>::read
//	<rustls::conn::ConnectionCommon<T> as rustls::conn::PlaintextSink>::write
//	rustls::conn::ConnectionCommon<T>::complete_io
//	core::ptr::drop_in_place<rustls::conn::ConnectionCommon<T>> (drop_glue since Rust 1.93)
//
// Since 0.21, both are in the module rustls::conn::connection.
var rustlsPlaces = []rustlsPlace{
	{
		RustlsRead,
		[]string{"_$LT$rustls..conn..", "Reader$u20$as$u20$std..io..Read$GT$4read17h"},
		[]string{"_RNvX", "6rustls4conn", "6Reader", "2io4Read", "4read"},
	},
	{
		RustlsWrite,
		[]string{"_$LT$rustls..conn..", "ConnectionCommon$LT$", "PlaintextSink$GT$5write17h"},
		[]string{"_RNvX", "6rustls4conn", "16ConnectionCommon", "13PlaintextSink", "5write"},
	},
	{
		RustlsSocket,
		[]string{"_ZN6rustls4conn", "ConnectionCommon$LT$", "$GT$11complete_io17h"},
		[]string{"_RINvM", "6rustls4conn", "16ConnectionCommon", "11complete_io"},
	},
	{
		RustlsDrop,
		[]string{"_ZN4core3ptr", "drop_in_place$LT$rustls..conn..ConnectionCommon$LT$"},
		[]string{"_RINv", "3ptr13drop_in_placeINt", "6rustls4conn16ConnectionCommon"},
	},
	{
		RustlsDrop,
		[]string{"_ZN4core3ptr", "drop_glue$LT$rustls..conn..ConnectionCommon$LT$"},
		[]string{"_RINv", "3ptr9drop_glueINt", "6rustls4conn16ConnectionCommon"},
	},
}

// findRustls gives nil if there is none.
func findRustls(f *file, found []place) *Library {
	l := &Library{Kind: Rustls}
	for _, p := range found {
		name := rustlsFunction(p.name)
		if offset := f.code(p.address); name != "" && offset != 0 {
			l.Functions = append(l.Functions, Function{Name: name, Offset: offset})
		}
	}
	if len(l.Functions) == 0 {
		return nil
	}
	l.sort()
	return l
}

// rustlsFunction gives our name for a mangled one, nothing for all others.
func rustlsFunction(mangled string) string {
	for _, p := range rustlsPlaces {
		parts := p.legacy
		if strings.HasPrefix(mangled, "_R") {
			parts = p.v0
		}
		if hasParts(mangled, parts) {
			return p.name
		}
	}
	return ""
}

func hasParts(s string, parts []string) bool {
	for _, part := range parts {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}
