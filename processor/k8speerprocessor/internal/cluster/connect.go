// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"errors"
	"fmt"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Connection says how to reach the API server.
type Connection struct {
	AuthType string // serviceAccount, kubeConfig or none
	Context  string // of the kubeconfig file, if not the current one
	Owners   bool   // metadata of ReplicaSets and Jobs is wanted
}

// ErrNoCluster says that this process is not in a pod.
var ErrNoCluster = rest.ErrNotInCluster

// Connect makes clients. It sends nothing.
func (c Connection) Connect(traffic *Traffic) (Clients, error) {
	conf, err := c.config()
	if err != nil {
		return Clients{}, err
	}
	conf.UserAgent = "wirespan-k8s-peer"
	conf.QPS = -1 // a handful of requests, all of them wanted now
	conf.Wrap(traffic.wrap)
	client, err := rest.HTTPClientFor(conf)
	if err != nil {
		return Clients{}, fmt.Errorf("create HTTP client: %w", err)
	}
	typed := rest.CopyConfig(conf)
	typed.ContentType = "application/vnd.kubernetes.protobuf"
	typed.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	clients := Clients{Close: client.CloseIdleConnections}
	if clients.Objects, err = kubernetes.NewForConfigAndClient(typed, client); err != nil {
		return Clients{}, fmt.Errorf("create client: %w", err)
	}
	if c.Owners {
		if clients.Metadata, err = metadata.NewForConfigAndClient(metadata.ConfigFor(conf), client); err != nil {
			return Clients{}, fmt.Errorf("create client for metadata: %w", err)
		}
	}
	return clients, nil
}

func (c Connection) config() (*rest.Config, error) {
	switch c.AuthType {
	case "kubeConfig":
		conf, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			clientcmd.NewDefaultClientConfigLoadingRules(), &clientcmd.ConfigOverrides{CurrentContext: c.Context},
		).ClientConfig()
		if err != nil {
			return nil, fmt.Errorf("read kubeconfig: %w", err)
		}
		return conf, nil
	case "none":
		conf, err := rest.InClusterConfig()
		if errors.Is(err, rest.ErrNotInCluster) {
			return nil, err
		}
		if err != nil {
			return nil, fmt.Errorf("read service account: %w", err)
		}
		return rest.AnonymousClientConfig(conf), nil
	}
	conf, err := rest.InClusterConfig()
	if err != nil && !errors.Is(err, rest.ErrNotInCluster) {
		err = fmt.Errorf("read service account: %w", err)
	}
	return conf, err
}
