// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package peercache lets many collectors share the index of one: they ask it for
// the keys that they see, and are told when these change.
package peercache

import (
	"encoding/json"
	"unique"

	"google.golang.org/grpc"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// Version is that of the messages. A field that is not known is passed over, so
// only a change of what fields mean is another version.
const Version = 1

// Limits of messages.
const (
	maxAsked    = 4096 // keys that one message asks for
	maxAnswered = 256  // keys that one message tells of
)

// ask is what an agent sends.
type ask struct {
	Drop []index.Key `json:"drop,omitempty"` // first
	Keys []index.Key `json:"keys,omitempty"`
}

// tell is what the cache sends: a hello at first and when that changes, then
// answers.
type tell struct {
	Hello   *hello   `json:"hello,omitempty"`
	Answers []answer `json:"answers,omitempty"`
}

type hello struct {
	Version int       `json:"version"`
	Synced  bool      `json:"synced"` // the cache knows all of the cluster
	Labels  Selection `json:"labels"`
}

// Selection has the keys of labels that are selected.
type Selection struct {
	Pod     []string `json:"pod,omitempty"`
	Service []string `json:"service,omitempty"`
	Node    []string `json:"node,omitempty"`
}

// answer is who has and had a key, the newest first.
type answer struct {
	Key    index.Key        `json:"key"`
	Of     index.Membership `json:"of"`
	Claims []claim          `json:"claims,omitempty"`
}

type claim struct {
	From  int64      `json:"from"`
	Until int64      `json:"until,omitempty"` // 0: it goes on
	Kind  index.Kind `json:"kind"`
	Peer  peer       `json:"peer"`
}

type peer struct {
	Who        index.Identity   `json:"who"`
	Pod        string           `json:"pod,omitempty"`
	UID        string           `json:"uid,omitempty"`
	Node       string           `json:"node,omitempty"`
	NodeLabels []index.Label    `json:"node_labels,omitempty"`
	Labels     []index.Label    `json:"labels,omitempty"`
	Services   []*index.Service `json:"services,omitempty"`
}

func newAnswer(x *index.Index, networks *index.Networks, k index.Key) answer {
	a := answer{Key: k}
	if addr, ok := k.Addr(); ok {
		a.Of = networks.Of(addr)
	}
	for _, c := range x.Claims(k) {
		told := claim{From: c.From, Until: c.Until, Kind: c.Kind, Peer: newPeer(c.Peer)}
		if c.Until == index.Open {
			told.Until = 0
		}
		a.Claims = append(a.Claims, told)
	}
	return a
}

func newPeer(p *index.Peer) peer {
	told := peer{Who: p.Who.Value(), Pod: p.Pod, UID: p.PodUID, Labels: p.Labels, Services: p.Services}
	if p.Node != nil {
		told.Node, told.NodeLabels = p.Node.Name, p.Node.Labels()
	}
	return told
}

// claims gives what an answer says, with the labels that this end selects.
func (a *answer) claims(l *labels) []index.Claim {
	all := make([]index.Claim, 0, len(a.Claims))
	for _, c := range a.Claims {
		if c.Until == 0 {
			c.Until = index.Open
		}
		if c.Kind >= index.Kinds {
			c.Kind = index.Unknown
		}
		all = append(all, index.Claim{From: c.From, Until: c.Until, Kind: c.Kind, Peer: c.Peer.read(l)})
	}
	return all
}

func (p *peer) read(l *labels) *index.Peer {
	read := &index.Peer{Who: unique.Make(p.Who), Pod: p.Pod, PodUID: p.UID, Labels: translate(p.Labels, l.pod)}
	if p.Node != "" {
		read.Node = &index.NodeInfo{Name: p.Node}
		read.Node.SetLabels(translate(p.NodeLabels, l.node))
	}
	for _, s := range p.Services {
		if s != nil {
			s.Labels = translate(s.Labels, l.service)
			read.Services = append(read.Services, s)
		}
	}
	return read
}

// labels say for each label that the other end selects which one it is here, or -1.
type labels struct{ pod, service, node []int }

func translate(told []index.Label, here []int) []index.Label {
	var all []index.Label
	for _, l := range told {
		if l.Index >= 0 && l.Index < len(here) && here[l.Index] >= 0 {
			all = append(all, index.Label{Index: here[l.Index], Value: l.Value})
		}
	}
	return all
}

// codec writes messages in JSON: they are few, and those who look for an error can
// read them.
type codec struct{}

// Marshal implements [encoding.Codec] of gRPC.
func (codec) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

// Unmarshal implements [encoding.Codec].
func (codec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// Name implements [encoding.Codec].
func (codec) Name() string { return "json" }

const service = "wirespan.k8s_peer.Cache"

// watchStream is the one method: asks one way, tells the other.
var watchStream = grpc.StreamDesc{
	StreamName: "Watch", ServerStreams: true, ClientStreams: true,
	Handler: func(s any, stream grpc.ServerStream) error { return s.(*Server).serve(stream) },
}
