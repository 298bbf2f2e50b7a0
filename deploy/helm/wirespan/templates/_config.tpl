{{/*
Copyright The Wirespan Authors
SPDX-License-Identifier: Apache-2.0

The collectors' configurations.
*/}}

{{- define "wirespan.agentConfig" -}}
{{- $v := .Values -}}
{{- $exporters := include (ternary "wirespan.exporters" "wirespan.uplink" (eq $v.transport "direct")) (dict "root" . "component" "agent") | fromYaml -}}
{{- $processors := dict "memory_limiter" (include "wirespan.memoryLimiter" (dict "limits" $v.agent.resources.limits "percent" 85) | fromYaml) -}}
{{- $processors = set $processors "filter/own" (include "wirespan.own" . | fromYaml) -}}
{{- $order := list "memory_limiter" "filter/own" -}}
{{- if $v.kubernetes.attributes -}}
{{- $processors = set $processors "k8s_attributes" (include "wirespan.k8sAttributes" . | fromYaml) -}}
{{- $order = append $order "k8s_attributes" -}}
{{- end -}}
{{- $processors = set $processors "resource/node" (include "wirespan.node" . | fromYaml) -}}
{{- $order = append $order "resource/node" -}}
{{- if has $v.kubernetes.peers (list "agent" "cache") -}}
{{- $processors = set $processors "k8s_peer" (include (ternary "wirespan.askPeer" "wirespan.k8sPeer" (eq $v.kubernetes.peers "cache")) . | fromYaml) -}}
{{- $order = append $order "k8s_peer" -}}
{{- end -}}
{{- $receivers := dict "network" (include "wirespan.network" . | fromYaml) -}}
{{- include "wirespan.collector" (dict "root" . "receivers" $receivers "processors" $processors "order" $order "exporters" $exporters "component" "agent") -}}
{{- end }}

{{- define "wirespan.gatewayConfig" -}}
{{- $v := .Values -}}
{{- $exporters := include "wirespan.exporters" (dict "root" . "component" "gateway") | fromYaml -}}
{{- $processors := dict "memory_limiter" (include "wirespan.memoryLimiter" (dict "limits" $v.gateway.resources.limits "percent" 90) | fromYaml) -}}
{{- $order := list "memory_limiter" -}}
{{- if eq $v.kubernetes.peers "gateway" -}}
{{- $processors = set $processors "k8s_peer" (include "wirespan.k8sPeer" . | fromYaml) -}}
{{- $order = append $order "k8s_peer" -}}
{{- end -}}
{{- $receivers := include (ternary "wirespan.kafkaReceiver" "wirespan.otlpReceiver" (eq $v.transport "kafka")) . | fromYaml -}}
{{- include "wirespan.collector" (dict "root" . "receivers" $receivers "processors" $processors "order" $order "exporters" $exporters "component" "gateway") -}}
{{- end }}

{{/* The cache: a pipeline that nobody sends to, for the sake of its processor. */}}
{{- define "wirespan.cacheConfig" -}}
{{- $peer := include "wirespan.k8sPeer" . | fromYaml -}}
{{- $serve := dict "endpoint" "[${env:POD_IP}]:4320" "tls" (dict "cert_file" "/etc/wirespan/cache/tls.crt" "key_file" "/etc/wirespan/cache/tls.key" "client_ca_file" "/etc/wirespan/cache/ca.crt") -}}
{{- $peer = set $peer "cache" (dict "serve" $serve) -}}
{{- $receivers := dict "otlp" (dict "protocols" (dict "grpc" (dict "endpoint" "127.0.0.1:4317"))) -}}
{{- include "wirespan.collector" (dict "root" . "receivers" $receivers "processors" (dict "k8s_peer" $peer) "order" (list "k8s_peer") "exporters" (dict "debug" (dict "verbosity" "basic")) "component" "cache") -}}
{{- end }}

{{/* The whole of a configuration, with what the user has for it merged in. Jaeger
takes spans only, and the console shows log records only. */}}
{{- define "wirespan.collector" -}}
{{- $traces := list -}}
{{- $logs := list -}}
{{- range $name := keys .exporters | sortAlpha -}}
{{- if ne $name "otlp_http/loki" }}{{ $traces = append $traces $name }}{{ end -}}
{{- if ne $name "otlp_grpc/tempo" }}{{ $logs = append $logs $name }}{{ end -}}
{{- end -}}
{{- $backend := include "wirespan.backend" .root -}}
{{- if eq $backend "jaeger" }}{{ $logs = list }}{{ end -}}
{{- if has $backend (list "console" "summary") }}{{ $traces = list }}{{ end -}}
{{- $pipelines := dict -}}
{{- range $signal, $exporters := dict "traces" $traces "logs" $logs -}}
{{- if $exporters -}}
{{- $pipelines = set $pipelines $signal (dict "receivers" (keys $.receivers | sortAlpha) "processors" $.order "exporters" $exporters) -}}
{{- end -}}
{{- end -}}
{{- $service := dict "extensions" (list "health_check") "pipelines" $pipelines "telemetry" (include "wirespan.telemetry" .root | fromYaml) -}}
{{- $extensions := dict "health_check" (dict "endpoint" (printf "%s:%d" (include "wirespan.healthHost" .) (int .root.Values.ports.health))) -}}
{{- $all := dict "extensions" $extensions "receivers" .receivers "processors" .processors "exporters" .exporters "service" $service -}}
{{- toYaml (mustMergeOverwrite $all (deepCopy (index .root.Values .component).config)) -}}
{{- end }}

{{/* Of a pod in the host's network only the kubelet of the same node need ask. The
operator's probes ask at the pod's address. */}}
{{- define "wirespan.healthHost" -}}
{{- $v := .root.Values -}}
{{- if and (eq .component "agent") $v.agent.hostNetwork (eq $v.workload "native") -}}127.0.0.1{{- else -}}[${env:POD_IP}]{{- end -}}
{{- end }}

{{- define "wirespan.telemetry" -}}
{{- with .Values.metrics -}}
metrics:
  {{- if .enabled }}
  level: {{ .level }}
  readers:
    - pull:
        exporter:
          prometheus:
            host: ${env:POD_IP}
            port: {{ $.Values.ports.metrics }}
            without_scope_info: true
            without_type_suffix: true
            without_units: true
  {{- else }}
  level: none
  {{- end }}
{{- end }}
{{- end }}

{{/* Limits in MiB, not in per cent: those would be of the node, whose control groups
the agent sees. */}}
{{- define "wirespan.memoryLimiter" -}}
check_interval: 1s
limit_mib: {{ include "wirespan.mebibytes" (dict "quantity" .limits.memory "percent" .percent) }}
spike_limit_mib: {{ include "wirespan.mebibytes" (dict "quantity" .limits.memory "percent" 5) }}
{{- end }}

{{/* The receiver. Lists of the user are added to those of the chart. */}}
{{- define "wirespan.network" -}}
{{- $user := deepCopy .Values.agent.receiver -}}
{{- $exclude := dict "processes" (list "wirespan") "ports" (include "wirespan.backendPorts" . | fromJsonArray) -}}
{{- $tls := dict "enabled" .Values.agent.tls -}}
{{- if not .Values.agent.controlPlane -}}
{{- $exclude = set $exclude "ports" (concat $exclude.ports (list 2379 2380 6443 10250)) -}}
{{- $exclude = set $exclude "cidrs" (list "${env:KUBERNETES_SERVICE_HOST:-192.0.2.1}") -}}
{{- end -}}
{{- range $kind := list "processes" "ports" "cidrs" "cgroups" -}}
{{- $own := default list (dig "capture" "ebpf" "exclude" $kind list $user) -}}
{{- $all := concat (default list (get $exclude $kind)) $own | uniq -}}
{{- if $all }}{{ $exclude = set $exclude $kind $all }}{{ else }}{{ $exclude = unset $exclude $kind }}{{ end -}}
{{- end -}}
{{- $receiver := dict "capture" (dict "ebpf" (dict "tls" $tls)) -}}
{{- with .Values.kubernetes.capturedNetworks -}}
{{- $receiver = set $receiver "trace" (dict "captured_peers" .) -}}
{{- end -}}
{{- if eq .Values.transport "kafka" -}}
{{- $receiver = mergeOverwrite $receiver (include "wirespan.bodies" (div (mul (int64 .Values.kafka.maxMessageBytes) 3) 8) | fromYaml) -}}
{{- else if eq (include "wirespan.backend" .) "grafana" -}}
{{- $receiver = mergeOverwrite $receiver (include "wirespan.bodies" 81920 | fromYaml) -}}
{{- end -}}
{{- if eq (include "wirespan.backend" .) "summary" -}}
{{- $receiver = set $receiver "payload" (dict "enabled" false) -}}
{{- end -}}
{{- $receiver = mustMergeOverwrite $receiver $user (dict "capture" (dict "ebpf" (dict "exclude" $exclude))) -}}
{{- toYaml $receiver -}}
{{- end }}

{{/* Kept of each body. A record has two at most. */}}
{{- define "wirespan.bodies" -}}
protocols:
  {{- range list "http" "http2" "websocket" }}
  {{ . }}: {max_body_bytes: {{ int64 $ }}}
  {{- end }}
{{- end }}

{{/* Calls of Wirespan itself that came past the exclusions (a backend behind an
ingress): each would make the next one. */}}
{{- define "wirespan.own" -}}
{{- $own := `attributes["user_agent.original"] != nil and IsMatch(attributes["user_agent.original"], "^OpenTelemetry Collector that turns a node's network traffic into complete API calls/")` -}}
error_mode: ignore
traces:
  span:
    - {{ $own | quote }}
logs:
  log_record:
    - {{ $own | quote }}
{{- end }}

{{/* The host's name is that of the node, not of the pod. */}}
{{- define "wirespan.node" -}}
attributes:
  - {key: host.name, value: "${env:K8S_NODE_NAME}", action: upsert}
  - {key: k8s.node.name, value: "${env:K8S_NODE_NAME}", action: insert}
  {{- with .Values.kubernetes.clusterName }}
  - {key: k8s.cluster.name, value: {{ . | quote }}, action: insert}
  {{- end }}
{{- end }}

{{- define "wirespan.k8sAttributes" -}}
auth_type: serviceAccount
filter:
  node_from_env_var: K8S_NODE_NAME
extract:
  otel_annotations: {{ .Values.kubernetes.otelAnnotations }}
  metadata:
    - k8s.namespace.name
    - k8s.pod.name
    - k8s.pod.uid
    - k8s.pod.ip
    - k8s.deployment.name
    - k8s.statefulset.name
    - k8s.daemonset.name
    - k8s.cronjob.name
    - k8s.job.name
    - k8s.node.name
    - k8s.container.name
    - container.id
    - container.image.name
    - container.image.tags
    - service.namespace
    - service.name
    - service.version
    - service.instance.id
  {{- with .Values.kubernetes.podLabels }}
  labels:
    {{- range . }}
    - {key: {{ . | quote }}, from: pod}
    {{- end }}
  {{- end }}
# The first that a record has decides, also if it leads to no pod. A pod's UID is known
# before its containers start, their ids a second or two after that.
pod_association:
  - sources: [{from: resource_attribute, name: k8s.pod.uid}]
  - sources: [{from: resource_attribute, name: container.id}]
  - sources: [{from: resource_attribute, name: k8s.pod.ip}]
{{- end }}

{{- define "wirespan.k8sPeer" -}}
{{- $peer := dict "auth_type" "serviceAccount" "otel_annotations" .Values.kubernetes.otelAnnotations -}}
{{- with .Values.kubernetes.podLabels -}}
{{- $peer = set $peer "extract" (dict "labels" (dict "pod" .)) -}}
{{- end -}}
{{- toYaml (mustMergeOverwrite $peer (deepCopy .Values.kubernetes.peer)) -}}
{{- end }}

{{/* Settings of watching are the cache's, the others the agent's. */}}
{{- define "wirespan.askPeer" -}}
{{- $tls := dict "ca_file" "/etc/wirespan/cache/ca.crt" "cert_file" "/etc/wirespan/cache/tls.crt" "key_file" "/etc/wirespan/cache/tls.key" -}}
{{- $endpoint := printf "%s.%s.svc:4320" (include "wirespan.name" (dict "root" . "component" "cache")) .Release.Namespace -}}
{{- $peer := dict "cache" (dict "ask" (dict "endpoint" $endpoint "tls" $tls)) -}}
{{- with .Values.kubernetes.podLabels -}}
{{- $peer = set $peer "extract" (dict "labels" (dict "pod" .)) -}}
{{- end -}}
{{- toYaml (mustMergeOverwrite $peer (deepCopy .Values.kubernetes.peer)) -}}
{{- end }}

{{/* Connections end after a while, so that agents find new gateways. */}}
{{- define "wirespan.otlpReceiver" -}}
otlp:
  protocols:
    grpc:
      endpoint: "[${env:POD_IP}]:4317"
      max_recv_msg_size_mib: 16
      keepalive:
        server_parameters: {max_connection_age: 2m, max_connection_age_grace: 30s}
      {{- if .Values.gateway.tls.enabled }}
      tls: {cert_file: /etc/wirespan/tls/tls.crt, key_file: /etc/wirespan/tls/tls.key}
      {{- end }}
{{- end }}

{{/* A message is done when the backend has it. */}}
{{- define "wirespan.kafkaReceiver" -}}
kafka:
  {{- include "wirespan.kafkaClient" . | nindent 2 }}
  group_id: {{ .Values.kafka.groupId }}
  initial_offset: earliest
  traces: {topics: [{{ .Values.kafka.topics.traces }}], encoding: otlp_proto}
  logs: {topics: [{{ .Values.kafka.topics.logs }}], encoding: otlp_proto}
  message_marking: {after: true, on_error: false, on_permanent_error: true}
  error_backoff: {enabled: true, initial_interval: 1s, max_interval: 30s, max_elapsed_time: 0s}
{{- end }}
