// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package uprobe finds the TLS libraries that processes use, and places probes in
// them: in files, so that one attachment serves every process that uses the file,
// now or later. It says for each process whether its encrypted connections are
// looked into, and if not, why.
package uprobe // import "github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe"
