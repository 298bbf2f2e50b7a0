// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is wrong is refused before anything is installed, by a message that names it.
func TestSchemaRefuses(t *testing.T) {
	for name, c := range map[string]struct{ set, where string }{
		"unknown setting":            {`agnet={}`, "agnet"},
		"unknown setting of a block": {`agent.hostPid=true`, "hostPid"},
		"backend":                    {`backend="zipkin"`, "/backend"},
		"transport":                  {`transport="nats"`, "/transport"},
		"workload":                   {`workload="pod"`, "/workload"},
		"no brokers":                 {`transport="kafka"`, "/kafka/brokers"},
		"broker without port":        {`kafka.brokers=["kafka"]`, "/kafka/brokers/0"},
		"topic":                      {`kafka.topics.logs="a b"`, "/kafka/topics/logs"},
		"small messages":             {`kafka.maxMessageBytes=1000`, "/kafka/maxMessageBytes"},
		"mechanism":                  {`kafka.sasl.mechanism="GSSAPI"`, "/kafka/sasl/mechanism"},
		"protocol":                   {`otlp.protocol="thrift"`, "/otlp/protocol"},
		"secret in a header":         {`otlp.headers=[{"name":"Authorization","value":"Bearer x"}]`, "/otlp/headers/0"},
		"secret in tls":              {`otlp.tls={"key_pem":"x"}`, "/otlp/tls"},
		"secret in an endpoint":      {`clickhouse.endpoint="clickhouse://me:secret@host:9000"`, "/clickhouse/endpoint"},
		"URL for gRPC":               {`jaeger.endpoint="http://jaeger:4317/x"`, "/jaeger/endpoint"},
		"Loki without URL":           {`grafana.loki.endpoint="loki:3100"`, "/grafana/loki/endpoint"},
		"peers without gateways":     {`kubernetes.peers="gateway"`, "/kubernetes/peers"},
		"captured networks":          {`kubernetes.capturedNetworks=["pods"]`, "/kubernetes/capturedNetworks/0"},
		"latest":                     {`image.tag="latest"`, "/image/tag"},
		"digest":                     {`image.digest="sha256:12"`, "/image/digest"},
		"privileged":                 {`agent.privileged=true`, "privileged"},
		"capability":                 {`agent.capabilities=["ALL"]`, "/agent/capabilities/0"},
		"more capabilities":          {`agent.extraCapabilities=["CAP_SYS_ADMIN"]`, "/agent/extraCapabilities/0"},
		"capture files on nodes":     {`agent.receiver.capture={"pcap":{"files":["a.pcap"]}}`, "/agent/receiver/capture"},
		"memory in bytes":            {`agent.resources.limits.memory="1000000000"`, "/agent/resources/limits/memory"},
		"no memory limit":            {`agent.resources.limits={"memory":null}`, "/agent/resources/limits"},
		"no time to stop":            {`agent.terminationGracePeriodSeconds=1`, "/agent/terminationGracePeriodSeconds"},
		"port":                       {`ports.metrics=70000`, "/ports/metrics"},
		"level of metrics":           {`metrics.level="all"`, "/metrics/level"},
		"both disruption budgets":    {`gateway.podDisruptionBudget={"minAvailable":1}`, "/gateway/podDisruptionBudget"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := template(t, flags([]string{`backend="console"`, c.set})...)
			require.Error(t, err)
			assert.Contains(t, err.Error(), "don't meet the specifications of the schema")
			assert.Contains(t, err.Error(), c.where)
		})
	}
}

// An endpoint alone chooses OTLP, and is checked as such.
func TestSchemaRefusesAnEndpointOfAnotherProtocol(t *testing.T) {
	_, err := template(t, flags([]string{`otlp={"protocol":"http","endpoint":"collector:4318"}`})...)
	assert.ErrorContains(t, err, "/otlp/endpoint")
}

// What the schema can't say, the templates do.
func TestMissingValuesAreNamed(t *testing.T) {
	for want, sets := range map[string][]string{
		"otlp.endpoint":          {`backend="otlp"`},
		"cache.secretName":       {`kubernetes.peers="cache"`, `backend="console"`},
		"kafka.sasl.secretName":  {`transport="kafka"`, `backend="console"`, `kafka.brokers=["k:9092"]`, `kafka.sasl.mechanism="PLAIN"`},
		"gateway.tls.secretName": {`transport="gateway"`, `backend="console"`, `gateway.tls.enabled=true`},
	} {
		_, err := template(t, flags(sets)...)
		assert.ErrorContains(t, err, want)
	}
}

func TestSchemaTakesTheDefaults(t *testing.T) {
	assert.NotEmpty(t, mustTemplate(t))
}
