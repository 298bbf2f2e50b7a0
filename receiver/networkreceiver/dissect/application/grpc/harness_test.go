// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package grpc_test

import (
	"testing"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http2"
)

var carriers = []dissect.Dissector{http2.Dissector{}, http.Dissector{}}

func TestGolden(t *testing.T) { dissecttest.Golden(t, carriers...) }
func TestChop(t *testing.T)   { dissecttest.Chop(t, carriers...) }
func TestHole(t *testing.T)   { dissecttest.Hole(t, carriers...) }
func FuzzData(f *testing.F)   { dissecttest.Fuzz(f, carriers...) }
