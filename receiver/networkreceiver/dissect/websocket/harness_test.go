// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket_test

import (
	"testing"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/websocket"
)

func TestGolden(t *testing.T) { dissecttest.Golden(t, http.Dissector{}, websocket.Dissector{}) }
func TestChop(t *testing.T)   { dissecttest.Chop(t, http.Dissector{}, websocket.Dissector{}) }
func TestHole(t *testing.T)   { dissecttest.Hole(t, http.Dissector{}, websocket.Dissector{}) }
func FuzzData(f *testing.F)   { dissecttest.Fuzz(f, http.Dissector{}, websocket.Dissector{}) }
