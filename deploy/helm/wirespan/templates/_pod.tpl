{{/*
Copyright The Wirespan Authors
SPDX-License-Identifier: Apache-2.0

Parts of pods that DaemonSet, Deployment and the operator's resources share.
*/}}

{{- define "wirespan.gates" -}}
processor.k8sattributes.EmitV1K8sConventions,processor.k8sattributes.DontEmitV0K8sConventions,processor.k8sattributes.ShareProcessorBetweenPipelines
{{- end }}

{{- define "wirespan.secretEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef: {name: {{ .secret }}, key: {{ .key }}}
{{- end }}

{{- define "wirespan.headersEnv" -}}
{{- range $i, $h := .headers }}
{{ include "wirespan.secretEnv" (dict "name" (include "wirespan.headerVariable" (dict "backend" $.backend "index" $i)) "secret" $h.secret.name "key" $h.secret.key) }}
{{- end }}
{{- end }}

{{/* Secrets that a component's exporters and receivers need. */}}
{{- define "wirespan.secrets" -}}
{{- $v := .root.Values -}}
{{- $backend := include "wirespan.backend" .root -}}
{{- $sends := eq .component (ternary "agent" "gateway" (eq $v.transport "direct")) -}}
{{- if $sends }}
{{- if eq $backend "otlp" }}
{{- include "wirespan.headersEnv" (dict "backend" "otlp" "headers" $v.otlp.headers) }}
{{- end }}
{{- if eq $backend "grafana" }}
{{- include "wirespan.headersEnv" (dict "backend" "tempo" "headers" $v.grafana.tempo.headers) }}
{{- include "wirespan.headersEnv" (dict "backend" "loki" "headers" $v.grafana.loki.headers) }}
{{- end }}
{{- if and (eq $backend "clickhouse") $v.clickhouse.secretName }}
{{ include "wirespan.secretEnv" (dict "name" "WIRESPAN_CLICKHOUSE_USERNAME" "secret" $v.clickhouse.secretName "key" "username") }}
{{ include "wirespan.secretEnv" (dict "name" "WIRESPAN_CLICKHOUSE_PASSWORD" "secret" $v.clickhouse.secretName "key" "password") }}
{{- end }}
{{- end }}
{{- if and (eq $v.transport "kafka") $v.kafka.sasl.mechanism (ne .component "cache") }}
{{- $name := required "kafka.sasl.secretName: a Secret with the keys username and password" $v.kafka.sasl.secretName }}
{{ include "wirespan.secretEnv" (dict "name" "WIRESPAN_KAFKA_USERNAME" "secret" $name "key" "username") }}
{{ include "wirespan.secretEnv" (dict "name" "WIRESPAN_KAFKA_PASSWORD" "secret" $name "key" "password") }}
{{- end }}
{{- end }}

{{- define "wirespan.env" -}}
{{- $c := index .root.Values .component -}}
{{- $agent := eq .component "agent" -}}
- name: GOMEMLIMIT
  value: {{ include "wirespan.mebibytes" (dict "quantity" $c.resources.limits.memory "percent" (ternary 75 80 $agent)) }}MiB
- name: GOGC
  value: {{ $c.goGC | quote }}
- name: POD_IP
  valueFrom:
    fieldRef: {fieldPath: status.podIP}
{{- if $agent }}
- name: K8S_NODE_NAME
  valueFrom:
    fieldRef: {fieldPath: spec.nodeName}
{{- end }}
{{- with include "wirespan.secrets" . | trim }}
{{ . }}
{{- end }}
{{- with $c.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "wirespan.agentSecurityContext" -}}
{{- $v := .Values -}}
{{- with $v.agent -}}
# Kubernetes gives capabilities to no other user. What the collector does not need
# after the start it drops itself.
runAsUser: 0
privileged: false
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
  add: {{ concat .capabilities (ternary (list "SYS_PTRACE") list .tls) .extraCapabilities | uniq | toJson }}
seccompProfile: {{- toYaml .seccompProfile | nindent 2 }}
{{- if and .appArmorProfile (semverCompare ">=1.30.0-0" $.Capabilities.KubeVersion.Version) }}
appArmorProfile: {{- toYaml (ternary .appArmorProfile (dict "type" "RuntimeDefault") .tls) | nindent 2 }}
{{- end }}
{{- with ternary (dict "type" "spc_t") .seLinuxOptions (and $v.openshift.enabled (not .seLinuxOptions)) }}
seLinuxOptions: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* OpenShift gives users and groups out itself. */}}
{{- define "wirespan.podSecurityContext" -}}
{runAsNonRoot: true{{ if not .Values.openshift.enabled }}, fsGroup: 10001{{ end }}}
{{- end }}

{{- define "wirespan.cacheSecurityContext" -}}
{{- include "wirespan.gatewaySecurityContext" . -}}
{{- end }}

{{- define "wirespan.gatewaySecurityContext" -}}
runAsNonRoot: true
{{- if not .Values.openshift.enabled }}
runAsUser: 10001
runAsGroup: 10001
{{- end }}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Mounts and volumes besides the configuration. */}}
{{- define "wirespan.mounts" -}}
{{- $v := .root.Values -}}
{{- $c := index $v .component -}}
{{- if eq .component "agent" }}
# The node's control groups: where the programs are attached.
- {name: cgroup, mountPath: /sys/fs/cgroup, readOnly: true}
{{- end }}
{{- if and $v.gateway.tls.enabled (eq $v.transport "gateway") (ne .component "cache") }}
{{- if eq .component "agent" }}
- {name: gateway-ca, mountPath: /etc/wirespan/gateway-ca, readOnly: true}
{{- else }}
- {name: tls, mountPath: /etc/wirespan/tls, readOnly: true}
{{- end }}
{{- end }}
{{- if and (eq $v.kubernetes.peers "cache") (has .component (list "agent" "cache")) }}
- {name: cache-tls, mountPath: /etc/wirespan/cache, readOnly: true}
{{- end }}
{{- with $c.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "wirespan.volumes" -}}
{{- $v := .root.Values -}}
{{- $c := index $v .component -}}
{{- if eq .component "agent" }}
- name: cgroup
  hostPath: {path: /sys/fs/cgroup, type: Directory}
{{- end }}
{{- if and $v.gateway.tls.enabled (eq $v.transport "gateway") (ne .component "cache") }}
{{- $secret := required "gateway.tls.secretName: a Secret with tls.crt, tls.key and ca.crt" $v.gateway.tls.secretName }}
{{- if eq .component "agent" }}
- name: gateway-ca
  secret: {secretName: {{ $secret }}, items: [{key: ca.crt, path: ca.crt}]}
{{- else }}
- name: tls
  secret: {secretName: {{ $secret }}, items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}], defaultMode: 0440}
{{- end }}
{{- end }}
{{- if and (eq $v.kubernetes.peers "cache") (has .component (list "agent" "cache")) }}
- name: cache-tls
  secret: {secretName: {{ required "cache.secretName: a Secret with tls.crt, tls.key and ca.crt" $v.cache.secretName }}, defaultMode: 0440}
{{- end }}
{{- with $c.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "wirespan.serviceAccount" -}}
{{- if .root.Values.serviceAccount.create -}}
{{ include "wirespan.name" . }}
{{- else -}}
default
{{- end -}}
{{- end }}

{{/* A whole pod's template. */}}
{{- define "wirespan.pod" -}}
{{- $v := .root.Values -}}
{{- $c := index $v .component -}}
{{- $health := ternary "{path: /, port: health, host: 127.0.0.1}" "{path: /, port: health}" (eq (include "wirespan.healthHost" .) "127.0.0.1") -}}
metadata:
  labels:
    {{- include "wirespan.selector" . | nindent 4 }}
    app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
    {{- with $c.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # A changed configuration rolls the pods.
    checksum/config: {{ .config | sha256sum }}
    kubectl.kubernetes.io/default-container: collector
    {{- with $c.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "wirespan.serviceAccount" . }}
  automountServiceAccountToken: {{ eq (include "wirespan.usesAPI" .) "true" }}
  enableServiceLinks: false
  {{- with $v.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .component "agent" }}
  hostPID: {{ $c.hostPID }}
  hostNetwork: {{ $c.hostNetwork }}
  {{- if $c.hostNetwork }}
  dnsPolicy: ClusterFirstWithHostNet
  {{- end }}
  {{- else }}
  securityContext: {{ include "wirespan.podSecurityContext" .root }}
  {{- end }}
  {{- with $c.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ $c.terminationGracePeriodSeconds }}
  containers:
    - name: collector
      image: {{ include "wirespan.image" .root }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      args:
        - --config=/etc/wirespan/collector/config.yaml
        {{- if eq .component "agent" }}
        - --feature-gates={{ include "wirespan.gates" . }}
        {{- end }}
      env:
        {{- include "wirespan.env" . | nindent 8 }}
      ports:
        - {name: health, containerPort: {{ $v.ports.health }}}
        {{- if $v.metrics.enabled }}
        - {name: metrics, containerPort: {{ $v.ports.metrics }}}
        {{- end }}
        {{- if and (eq .component "gateway") (eq $v.transport "gateway") }}
        - {name: otlp-grpc, containerPort: 4317}
        {{- end }}
        {{- if eq .component "cache" }}
        - {name: cache, containerPort: 4320}
        {{- end }}
      startupProbe:
        httpGet: {{ $health }}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {{ $health }}
        periodSeconds: 20
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {{ $health }}
        periodSeconds: 10
        timeoutSeconds: 5
      resources: {{- toYaml $c.resources | nindent 8 }}
      securityContext:
        {{- include (printf "wirespan.%sSecurityContext" .component) .root | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/wirespan/collector, readOnly: true}
        {{- with include "wirespan.mounts" . | trim }}
        {{- nindent 8 . }}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "wirespan.name" . }}}
    {{- with include "wirespan.volumes" . | trim }}
    {{- nindent 4 . }}
    {{- end }}
  nodeSelector: {{- toYaml $c.nodeSelector | nindent 4 }}
  {{- with $c.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $c.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if ne .component "agent" }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "wirespan.selector" . | nindent 10 }}
  {{- end }}
{{- end }}

{{/* A resource of the OpenTelemetry Operator. */}}
{{- define "wirespan.operatorSpec" -}}
{{- $v := .root.Values -}}
{{- $c := index $v .component -}}
mode: {{ ternary "daemonset" "deployment" (eq .component "agent") }}
image: {{ include "wirespan.image" .root }}
imagePullPolicy: {{ $v.image.pullPolicy }}
managementState: managed
# The operator's own upgrades are those of another distribution.
upgradeStrategy: none
serviceAccount: {{ include "wirespan.serviceAccount" . }}
{{- if eq .component "agent" }}
args:
  feature-gates: {{ include "wirespan.gates" . }}
# These resources have no hostPID.
hostNetwork: {{ $c.hostNetwork }}
daemonSetUpdateStrategy: {{- toYaml $c.updateStrategy | nindent 2 }}
{{- else }}
replicas: {{ $c.replicas }}
podDisruptionBudget: {{- toYaml $c.podDisruptionBudget | nindent 2 }}
podSecurityContext: {{ include "wirespan.podSecurityContext" .root }}
{{- end }}
{{- with $c.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
terminationGracePeriodSeconds: {{ $c.terminationGracePeriodSeconds }}
env:
  {{- include "wirespan.env" . | nindent 2 }}
resources: {{- toYaml $c.resources | nindent 2 }}
securityContext:
  {{- include (printf "wirespan.%sSecurityContext" .component) .root | nindent 2 }}
{{- with include "wirespan.mounts" . | trim }}
volumeMounts:
  {{- nindent 2 . }}
{{- end }}
{{- with include "wirespan.volumes" . | trim }}
volumes:
  {{- nindent 2 . }}
{{- end }}
nodeSelector: {{- toYaml $c.nodeSelector | nindent 2 }}
{{- with $c.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $c.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $c.podAnnotations }}
podAnnotations: {{- toYaml . | nindent 2 }}
{{- end }}
config:
  {{- .config | nindent 2 }}
{{- end }}
