// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package k8speerprocessor says who the other end of a call is: from the address
// on a record to the pod, workload, service, namespace and node that had it when
// the call was made.
package k8speerprocessor // import "github.com/wirespan/wirespan/processor/k8speerprocessor"
