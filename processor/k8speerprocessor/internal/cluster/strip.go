// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The functions here drop from an object, in place, all that the model does not
// read. A list of pods is a tenth of its size then.

func stripMeta(o *metav1.ObjectMeta, annotations ...string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: o.Namespace, Name: o.Name, UID: o.UID, ResourceVersion: o.ResourceVersion,
		CreationTimestamp: o.CreationTimestamp, Labels: o.Labels, OwnerReferences: o.OwnerReferences,
		Annotations: only(o.Annotations, annotations),
	}
}

func only(all map[string]string, keys []string) map[string]string {
	var kept map[string]string
	for _, k := range keys {
		if v, ok := all[k]; ok {
			if kept == nil {
				kept = map[string]string{}
			}
			kept[k] = v
		}
	}
	return kept
}

func stripPod(o *corev1.Pod) {
	*o = corev1.Pod{
		ObjectMeta: stripMeta(&o.ObjectMeta, annotationName, annotationNamespace),
		Spec: corev1.PodSpec{
			NodeName: o.Spec.NodeName, HostNetwork: o.Spec.HostNetwork,
			InitContainers: stripContainers(o.Spec.InitContainers), Containers: stripContainers(o.Spec.Containers),
		},
		Status: corev1.PodStatus{
			Phase: o.Status.Phase, StartTime: o.Status.StartTime, Conditions: stripConditions(o.Status.Conditions),
			PodIP: o.Status.PodIP, PodIPs: o.Status.PodIPs, HostIP: o.Status.HostIP, HostIPs: o.Status.HostIPs,
			InitContainerStatuses: stripStatuses(o.Status.InitContainerStatuses),
			ContainerStatuses:     stripStatuses(o.Status.ContainerStatuses),
		},
	}
}

func stripContainers(all []corev1.Container) []corev1.Container {
	var kept []corev1.Container
	for i := range all {
		if len(all[i].Ports) > 0 {
			kept = append(kept, corev1.Container{Ports: all[i].Ports})
		}
	}
	return kept
}

func stripStatuses(all []corev1.ContainerStatus) []corev1.ContainerStatus {
	for i := range all {
		s := &all[i]
		*s = corev1.ContainerStatus{ContainerID: s.ContainerID, State: s.State, LastTerminationState: s.LastTerminationState}
	}
	return all
}

func stripConditions(all []corev1.PodCondition) []corev1.PodCondition {
	for _, c := range all {
		if c.Type == corev1.PodReadyToStartContainers {
			return []corev1.PodCondition{c}
		}
	}
	return nil
}

func stripService(o *corev1.Service) {
	o.ObjectMeta = stripMeta(&o.ObjectMeta)
	o.Spec.Selector = nil
	o.Status.Conditions = nil
}

func stripSlice(o *discoveryv1.EndpointSlice) {
	o.ObjectMeta = stripMeta(&o.ObjectMeta)
	for i := range o.Endpoints {
		o.Endpoints[i] = discoveryv1.Endpoint{TargetRef: o.Endpoints[i].TargetRef}
	}
}

func stripNode(o *corev1.Node) {
	*o = corev1.Node{
		ObjectMeta: stripMeta(&o.ObjectMeta, tunnelAnnotations[:]...),
		Spec:       corev1.NodeSpec{PodCIDR: o.Spec.PodCIDR, PodCIDRs: o.Spec.PodCIDRs},
		Status:     corev1.NodeStatus{Addresses: o.Status.Addresses},
	}
}

func stripMetadata(o *metav1.PartialObjectMetadata) {
	o.ObjectMeta = stripMeta(&o.ObjectMeta)
	o.Labels = nil
}
