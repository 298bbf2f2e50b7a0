// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Random bytes hold anything, names of secrets too.
func TestBinaryBodiesStayAsTheyAre(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	body := make([]byte, 8<<20)
	_, _ = random.Read(body)
	copy(body[1000:], "password=secret&jwt=eyJ&\"token\":\"x\"")
	for _, mediaType := range []string{"application/octet-stream", "", "application/protobuf"} {
		r := New(Default())
		want := string(body)
		assert.Equal(t, want, string(r.Body(mediaType, body)), "%q changed", mediaType)
		assert.Zero(t, r.Applied())
	}
}

func TestTextOfAnyTypeIsScanned(t *testing.T) {
	for _, body := range []string{
		`{"password":"hunter2"}`,
		`{"password":"hunter2","name":"J` + "\xc3", // cut within a character
	} {
		for _, mediaType := range []string{"application/octet-stream", "", "application/vnd.custom"} {
			assert.NotContains(t, string(New(Default()).Body(mediaType, []byte(body))), "hunter2", mediaType)
		}
	}
	for _, mediaType := range []string{"application/json", "text/plain", "application/vnd.x+json"} {
		assert.NotContains(t, string(New(Default()).Body(mediaType, []byte("{\"a\":\"\x00\xff\",\"password\":\"hunter2\"}"))), "hunter2", mediaType)
	}
}
