// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// writer puts an answer on a record. What is there already stays.
type writer struct {
	destination, source *keys
	peerService         bool
	domain              string
	names               *nameSet
}

func (w *writer) write(c *call, a *answer) {
	if a.kind == index.Unknown {
		return
	}
	putIfAny(c.attrs, semconv.PeerKind, a.kind.String())
	switch c.side {
	case clientSide:
		a.writeTo(c.attrs, w.destination)
	case serverSide:
		a.writeTo(c.attrs, w.source)
	}
	name, namespace := w.serviceName(c, a)
	putIfAny(c.attrs, semconv.ServicePeerNamespace, namespace)
	putIfAny(c.attrs, semconv.ServicePeerName, name)
	if w.peerService {
		if v, ok := c.attrs.Get(semconv.ServicePeerName); ok {
			putIfAny(c.attrs, semconv.PeerService, v.Str())
		}
	}
}

// serviceName gives what the peer's own records have in service.name, or the name
// that an external server was called by.
func (w *writer) serviceName(c *call, a *answer) (name, namespace string) {
	switch {
	case a.reached != nil:
		id := a.reached.Who.Value()
		return id.ServiceName, id.ServiceNamespace
	case a.peer != nil:
		id := a.peer.Who.Value()
		return id.ServiceName, id.ServiceNamespace
	case a.kind != index.External || c.side == serverSide || c.names == "":
		return "", ""
	}
	host := canonical(c.names)
	if _, _, certain := serviceNamed(host, w.domain, ""); certain || !w.names.admit(host) {
		return "", ""
	}
	return host, ""
}

// writeTo writes what Kubernetes knows of the peer.
func (a *answer) writeTo(m pcommon.Map, k *keys) {
	who := a.peer
	if a.reached != nil {
		who = a.reached
	}
	if who == nil {
		return
	}
	id := who.Who.Value()
	put := func(f field, value string) {
		if k.fields[f] != "" {
			putIfAny(m, k.fields[f], value)
		}
	}
	put(fieldNamespace, id.Namespace)
	put(fieldPod, who.Pod)
	put(fieldPodUID, who.PodUID)
	put(fieldDeployment, id.Deployment)
	put(fieldReplicaSet, id.ReplicaSet)
	put(fieldStatefulSet, id.StatefulSet)
	put(fieldDaemonSet, id.DaemonSet)
	put(fieldCronJob, id.CronJob)
	put(fieldJob, id.Job)
	putLabels(m, k.podLabels, who.Labels)
	if who.Node != nil {
		put(fieldNode, who.Node.Name)
		putLabels(m, k.nodeLabels, who.Node.Labels())
	}
	if a.service != nil {
		put(fieldService, a.service.Name)
		put(fieldServiceType, a.service.Type)
		putLabels(m, k.serviceLabels, a.service.Labels)
	}
}

func putLabels(m pcommon.Map, keys []string, labels []index.Label) {
	for _, l := range labels {
		putIfAny(m, keys[l.Index], l.Value)
	}
}

// putIfAny writes a value that is not empty, unless the key is there.
func putIfAny(m pcommon.Map, key, value string) {
	if value == "" {
		return
	}
	if v, there := m.GetOrPutEmpty(key); !there {
		v.SetStr(value)
	}
}

// sideOfMetric gives the side that a metric by the conventions' names speaks for.
func sideOfMetric(name string) side {
	for part := range strings.SplitSeq(name, ".") {
		if s := sideNamed(part); s != unknownSide {
			return s
		}
	}
	return unknownSide
}
