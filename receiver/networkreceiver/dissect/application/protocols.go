// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package application

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/genai"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/graphql"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/grpc"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonrpc"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/sse"
)

// protocols are asked in this order: those first that can tell most surely. Event
// streams may carry each of the others.
func protocols(rpc grpc.Protocol) []Protocol {
	return []Protocol{
		rpc,
		sse.Protocol{},
		genai.Protocol{},
		jsonrpc.Protocol{},
		graphql.Protocol{},
	}
}
