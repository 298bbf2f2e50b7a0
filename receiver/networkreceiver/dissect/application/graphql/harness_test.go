// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package graphql_test

import (
	"testing"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http2"
)

func TestGolden(t *testing.T) { dissecttest.Golden(t, http.Dissector{}, http2.Dissector{}) }

func TestChop(t *testing.T) { dissecttest.Chop(t, http.Dissector{}, http2.Dissector{}) }

func TestHole(t *testing.T) { dissecttest.Hole(t, http.Dissector{}, http2.Dissector{}) }

func FuzzData(f *testing.F) { dissecttest.Fuzz(f, http.Dissector{}, http2.Dissector{}) }
