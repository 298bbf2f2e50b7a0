// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package stress attacks a running collector over a real kernel: what the tests of
// receiver/networkreceiver do to the stages with segments that they make, in full size
// and exactly, is done here with real sockets, in network namespaces and on loopback.
//
// A run is short unless STRESS=1 is set (make stress).
package stress
