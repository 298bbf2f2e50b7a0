// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package handshake

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// ProbeBytes are as many as probes look at.
const ProbeBytes = 2 << 10

// Limits are the defaults: a record, of whose handshake nothing but names is kept, and
// a handshake that waits for what a person confirms at a token.
var Limits = dissect.Limits{HeaderBytes: 20 << 10, BodyBytes: 64 << 10, Outstanding: 8, Age: 60e9}
