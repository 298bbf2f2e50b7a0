// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package grpc

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/protobuf"
)

// Fields of the answer of server reflection (grpc/reflection/v1/reflection.proto).
const (
	fileDescriptorResponse = 4 // of ServerReflectionResponse
	fileDescriptorProto    = 1 // of FileDescriptorResponse
)

// isReflection tells the method of server reflection, of any version.
func isReflection(method string) bool {
	return strings.HasPrefix(method, "grpc.reflection.") && strings.HasSuffix(method, ".ServerReflection/ServerReflectionInfo")
}

// learn adds the schema in an answer of server reflection.
func learn(schema *protobuf.Schema, answer []byte) {
	eachBytes(answer, fileDescriptorResponse, func(files []byte) {
		eachBytes(files, fileDescriptorProto, schema.Learn)
	})
}

// eachBytes visits the fields of a number that hold bytes.
func eachBytes(b []byte, number protowire.Number, visit func([]byte)) {
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		size := protowire.ConsumeFieldValue(num, kind, b[n:])
		if size < 0 {
			return
		}
		if num == number && kind == protowire.BytesType {
			if value, _ := protowire.ConsumeBytes(b[n:]); value != nil {
				visit(value)
			}
		}
		b = b[n+size:]
	}
}
