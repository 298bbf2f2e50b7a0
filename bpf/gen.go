// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package bpf holds the programs that run in the kernel, as objects that were
// built from the C sources beside it. They filter, stamp and copy.
package bpf // import "github.com/wirespan/wirespan/bpf"

//go:generate go tool bpf2go -go-package bpf -target amd64,arm64 -type packet_record -type owner_record -type process_key -type process -type losses -type prefix -type filter_name -type coverage -type event -type record_kind -type loss -type ring_limit -type filter_flag -type local_end -type event_kind Capture capture/capture.c -- -O2 -g -mcpu=v3 -Wall -Wextra -Werror
//go:generate go tool bpf2go -go-package bpf -target amd64,arm64 -type plaintext_record -type process_rule -type operation -type outcome -type way -type unbound_count -type process_subject TLS tls/tls.c -- -O2 -g -mcpu=v3 -Wall -Wextra -Werror
