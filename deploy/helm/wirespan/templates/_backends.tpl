{{/*
Copyright The Wirespan Authors
SPDX-License-Identifier: Apache-2.0

Exporters. What is sent is counted in bytes: OTLP/gRPC takes messages of up to 4 MiB.
*/}}

{{- define "wirespan.retry" -}}
enabled: true
initial_interval: 1s
max_interval: 30s
max_elapsed_time: {{ . }}
{{- end }}

{{/* (dict "bytes" of the queue, "max" bytes of a message, "wait" for the result) */}}
{{- define "wirespan.queue" -}}
enabled: true
sizer: bytes
queue_size: {{ int64 .bytes }}
{{- if .wait }}
wait_for_result: true
{{- end }}
batch:
  sizer: bytes
  flush_timeout: 500ms
  min_size: 524288
  max_size: {{ int64 (default 3000000 .max) }}
{{- end }}

{{- define "wirespan.headers" -}}
{{- range $i, $h := .headers }}
{{ $h.name }}: ${env:{{ include "wirespan.headerVariable" (dict "backend" $.backend "index" $i) }}}
{{- end }}
{{- end }}

{{/* Exporters to the backend by name, for the component in .component. */}}
{{- define "wirespan.exporters" -}}
{{- $v := .root.Values -}}
{{- $backend := include "wirespan.backend" .root -}}
{{- $consumes := and (eq .component "gateway") (eq $v.transport "kafka") -}}
{{- $retry := include "wirespan.retry" (ternary "0s" "5m" $consumes) -}}
{{- $queue := include "wirespan.queue" (dict "bytes" (index $v .component).queueBytes "wait" $consumes) -}}
{{- if eq $backend "otlp" }}
{{- with $v.otlp }}
otlp_{{ .protocol }}:
  endpoint: {{ required "otlp.endpoint: where spans and log records go (host:port, or a URL with otlp.protocol http)" .endpoint }}
  tls: {{- toYaml .tls | nindent 4 }}
  compression: {{ .compression }}
  {{- with include "wirespan.headers" (dict "backend" "otlp" "headers" .headers) | trim }}
  headers: {{- nindent 4 . }}
  {{- end }}
  retry_on_failure: {{- nindent 4 $retry }}
  sending_queue: {{- nindent 4 $queue }}
{{- end }}
{{- else if eq $backend "jaeger" }}
otlp_grpc/jaeger:
  endpoint: {{ $v.jaeger.endpoint }}
  tls: {{- toYaml $v.jaeger.tls | nindent 4 }}
  retry_on_failure: {{- nindent 4 $retry }}
  sending_queue: {{- nindent 4 $queue }}
{{- else if eq $backend "grafana" }}
{{- with $v.grafana }}
otlp_grpc/tempo:
  endpoint: {{ .tempo.endpoint }}
  tls: {{- toYaml .tempo.tls | nindent 4 }}
  {{- with include "wirespan.headers" (dict "backend" "tempo" "headers" .tempo.headers) | trim }}
  headers: {{- nindent 4 . }}
  {{- end }}
  retry_on_failure: {{- nindent 4 $retry }}
  sending_queue: {{- nindent 4 $queue }}
otlp_http/loki:
  endpoint: {{ .loki.endpoint }}
  {{- with .loki.tls }}
  tls: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "wirespan.headers" (dict "backend" "loki" "headers" .loki.headers) | trim }}
  headers: {{- nindent 4 . }}
  {{- end }}
  retry_on_failure: {{- nindent 4 $retry }}
  sending_queue: {{- nindent 4 $queue }}
{{- end }}
{{- else if eq $backend "clickhouse" }}
{{- with $v.clickhouse }}
clickhouse:
  endpoint: {{ .endpoint }}
  database: {{ .database }}
  {{- if .secretName }}
  username: ${env:WIRESPAN_CLICKHOUSE_USERNAME}
  password: ${env:WIRESPAN_CLICKHOUSE_PASSWORD}
  {{- end }}
  ttl: {{ .ttl }}
  create_schema: {{ .createSchema }}
  async_insert: true
  compress: lz4
  timeout: 10s
  retry_on_failure: {{- nindent 4 $retry }}
  sending_queue: {{- nindent 4 $queue }}
{{- end }}
{{- else if eq $backend "summary" }}
console: {format: line}
{{- else }}
console: {}
{{- end }}
{{- end }}

{{/* Exporters of the agents' way to the gateways or to Kafka. */}}
{{- define "wirespan.uplink" -}}
{{- $v := .root.Values -}}
{{- if eq $v.transport "gateway" }}
otlp_grpc/gateway:
  endpoint: dns:///{{ include "wirespan.gatewayHost" .root }}:4317
  {{- if $v.gateway.tls.enabled }}
  tls: {ca_file: /etc/wirespan/gateway-ca/ca.crt}
  {{- else }}
  tls: {insecure: true}
  {{- end }}
  balancer_name: round_robin
  compression: snappy
  retry_on_failure: {{- include "wirespan.retry" "5m" | nindent 4 }}
  sending_queue: {{- include "wirespan.queue" (dict "bytes" $v.agent.queueBytes) | nindent 4 }}
{{- else }}
kafka:
  {{- include "wirespan.kafkaClient" .root | nindent 2 }}
  traces: {topic: {{ $v.kafka.topics.traces }}, encoding: otlp_proto}
  logs: {topic: {{ $v.kafka.topics.logs }}, encoding: otlp_proto}
  partition_traces_by_id: {{ $v.kafka.partitionByTrace }}
  partition_logs_by_trace_id: {{ $v.kafka.partitionByTrace }}
  producer:
    max_message_bytes: {{ int64 $v.kafka.maxMessageBytes }}
    compression: zstd
    required_acks: -1
    allow_auto_topic_creation: false
  retry_on_failure: {{- include "wirespan.retry" "5m" | nindent 4 }}
  sending_queue: {{- include "wirespan.queue" (dict "bytes" $v.agent.queueBytes "max" (div (mul (int64 $v.kafka.maxMessageBytes) 9) 10)) | nindent 4 }}
{{- end }}
{{- end }}

{{- define "wirespan.kafkaClient" -}}
{{- with .Values.kafka -}}
brokers: {{- toYaml (required "kafka.brokers: addresses of some brokers, host:port" .brokers) | nindent 2 }}
client_id: wirespan
{{- with .tls }}
tls: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .sasl.mechanism }}
auth:
  sasl:
    mechanism: {{ .sasl.mechanism }}
    username: ${env:WIRESPAN_KAFKA_USERNAME}
    password: ${env:WIRESPAN_KAFKA_PASSWORD}
{{- end }}
{{- end }}
{{- end }}

{{- define "wirespan.gatewayHost" -}}
{{- $name := include "wirespan.name" (dict "root" . "component" "gateway") -}}
{{- printf "%s.%s.svc" (ternary (printf "%s-collector-headless" $name) $name (eq .Values.workload "operator")) .Release.Namespace -}}
{{- end }}

{{/* Where the backend listens: ports that are excluded from the capture, since the
other end of what the collector sends is not news. Those of the web are left out. */}}
{{- define "wirespan.backendPorts" -}}
{{- $v := .Values -}}
{{- $backend := include "wirespan.backend" . -}}
{{- $endpoints := list -}}
{{- if eq $backend "otlp" }}{{ $endpoints = list $v.otlp.endpoint }}{{ end -}}
{{- if eq $backend "jaeger" }}{{ $endpoints = list $v.jaeger.endpoint }}{{ end -}}
{{- if eq $backend "grafana" }}{{ $endpoints = list $v.grafana.tempo.endpoint $v.grafana.loki.endpoint }}{{ end -}}
{{- if eq $backend "clickhouse" }}{{ $endpoints = list $v.clickhouse.endpoint }}{{ end -}}
{{- if eq $v.transport "kafka" }}{{ $endpoints = concat $endpoints $v.kafka.brokers }}{{ end -}}
{{- $ports := list -}}
{{- range $endpoints }}
{{- $port := regexFind ":[0-9]+" (regexReplaceAll "^[a-z]+://" . "" | splitList "/" | first) | trimPrefix ":" -}}
{{- if and $port (not (has $port (list "80" "443" "8080" "8443"))) }}{{ $ports = append $ports (int $port) }}{{ end -}}
{{- end -}}
{{- toJson ($ports | uniq) -}}
{{- end }}
