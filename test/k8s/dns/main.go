// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command dns is the cluster's name server: what a test needs of the specification
// of DNS in Kubernetes (services, pods of headless services, external names).
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/rest"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return fmt.Errorf("find API server: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	s := server{
		zone: "svc." + os.Getenv("CLUSTER_DOMAIN") + ".", outside: os.Getenv("OUTSIDE"),
		services: factory.Core().V1().Services().Lister(), slices: factory.Discovery().V1().EndpointSlices().Lister(),
	}
	factory.Start(nil)
	factory.WaitForCacheSync(nil)
	dns.HandleFunc(".", s.answer)
	failed := make(chan error)
	for _, network := range []string{"udp", "tcp"} {
		go func() { failed <- dns.ListenAndServe(":53", network, nil) }()
	}
	return fmt.Errorf("serve: %w", <-failed)
}

type server struct {
	zone     string // svc.cluster.local.
	outside  string // address of every name under example.
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
}

func (s *server) answer(w dns.ResponseWriter, query *dns.Msg) {
	response := new(dns.Msg).SetReply(query)
	response.Authoritative = true
	if len(query.Question) == 1 {
		question := query.Question[0]
		canonical, addresses := s.resolve(strings.ToLower(question.Name))
		if len(addresses) == 0 {
			response.Rcode = dns.RcodeNameError
		}
		name := question.Name
		if canonical != "" {
			response.Answer = append(response.Answer, &dns.CNAME{Hdr: header(name, dns.TypeCNAME), Target: canonical})
			name = canonical
		}
		for _, address := range addresses {
			ip := net.ParseIP(address)
			switch {
			case ip.To4() != nil && question.Qtype == dns.TypeA:
				response.Answer = append(response.Answer, &dns.A{Hdr: header(name, dns.TypeA), A: ip})
			case ip.To4() == nil && question.Qtype == dns.TypeAAAA:
				response.Answer = append(response.Answer, &dns.AAAA{Hdr: header(name, dns.TypeAAAA), AAAA: ip})
			}
		}
	}
	_ = w.WriteMsg(response)
}

func header(name string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: 1}
}

// resolve gives the addresses of a name, and the name that it stands for.
func (s *server) resolve(name string) (canonical string, addresses []string) {
	if strings.HasSuffix(name, ".example.") {
		return "", []string{s.outside}
	}
	inZone, found := strings.CutSuffix(name, "."+s.zone)
	if !found {
		return "", nil
	}
	parts := strings.Split(inZone, ".")
	if len(parts) < 2 {
		return "", nil
	}
	host, service, namespace := "", parts[len(parts)-2], parts[len(parts)-1]
	if len(parts) == 3 {
		host = parts[0]
	}
	object, err := s.services.Services(namespace).Get(service)
	switch {
	case err != nil:
		return "", nil
	case object.Spec.Type == corev1.ServiceTypeExternalName:
		_, addresses = s.resolve(object.Spec.ExternalName + ".")
		return object.Spec.ExternalName + ".", addresses
	case object.Spec.ClusterIP != corev1.ClusterIPNone:
		return "", object.Spec.ClusterIPs
	}
	return "", s.endpoints(namespace, service, host)
}

// endpoints are the addresses of a headless service, or of one host of it.
func (s *server) endpoints(namespace, service, host string) (addresses []string) {
	slices, _ := s.slices.EndpointSlices(namespace).List(labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service}))
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			ready := endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready
			named := host == "" || endpoint.Hostname != nil && *endpoint.Hostname == host
			if ready && named {
				addresses = append(addresses, endpoint.Addresses...)
			}
		}
	}
	return addresses
}
