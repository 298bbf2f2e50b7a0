// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package socks_test

import (
	"testing"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/socks"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls"
)

// all are the handshake, and what may follow.
var all = []dissect.Dissector{tls.Dissector{}, socks.Dissector{}, http.Dissector{}}

func TestGolden(t *testing.T) { dissecttest.Golden(t, all...) }
func TestChop(t *testing.T)   { dissecttest.Chop(t, all...) }
func TestHole(t *testing.T)   { dissecttest.Hole(t, all...) }
func FuzzData(f *testing.F)   { dissecttest.Fuzz(f, all...) }
