// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package grpc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/grpc"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/protobuf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http2"
)

// TestReflection lets a server tell its schema, and reads what it says afterwards by it.
func TestReflection(t *testing.T) {
	rpc := grpc.Protocol{Schema: new(protobuf.Schema)}
	carrier := http2.Dissector{Applications: application.Of(rpc)}
	const capture = "testdata/reflection/go-reflection.pcap"
	bodies := func() (request, response string) {
		for _, x := range dissecttest.RunCapture(t, capture, carrier).Exchanges {
			info, ok := x.Request.Protocol.(*http2.RequestInfo)
			require.True(t, ok)
			if info.Path == "/wirespan.test.Echo/Say" {
				return string(x.Request.Content.Body), string(x.Response.Content.Body)
			}
		}
		t.Fatal("the call is missing")
		return "", ""
	}
	request, response := bodies()
	assert.Equal(t, `"hello unary-known-0"`, request, "StringValue is shown as a string")
	assert.Equal(t, `"hello unary-known-0"`, response)
	assert.True(t, rpc.Schema.Knows("wirespan.test.Echo/Chat"))
}
