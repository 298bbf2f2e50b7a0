// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package bench measures the way from a capture file to spans and log records,
// and in the same run what people use today: gopacket with net/http, and tshark.
//
// What is compared is CPU time (user and system, garbage collection included),
// which does not depend on what else the machine does. Only the scaling over two
// shards is wall time. docs/performance.md has the figures.
package bench
