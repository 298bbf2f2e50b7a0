// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package lookup remembers which names processes have looked up, so that the calls
// that they were looked up for can tell. It bounds the lookups by age, by number, for
// each process, and by the memory budget.
//
// It is shared by all workers: the socket that asks and the one that connects may
// belong to different ones. It is written once for each exchange that looks up a
// name, and read at the first calls of a connection.
package lookup // import "github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/lookup"
