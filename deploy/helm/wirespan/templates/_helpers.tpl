{{/*
Copyright The Wirespan Authors
SPDX-License-Identifier: Apache-2.0
*/}}

{{- define "wirespan.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* The name of a component: (dict "root" $ "component" "agent"). */}}
{{- define "wirespan.name" -}}
{{ include "wirespan.fullname" .root }}-{{ .component }}
{{- end }}

{{/* Where calls end up: the backend of the values, or, where none is chosen, otlp if
there is an endpoint for it, else summary: a line for each call in the log. */}}
{{- define "wirespan.backend" -}}
{{- default (ternary "otlp" "summary" (ne .Values.otlp.endpoint "")) .Values.backend -}}
{{- end }}

{{- define "wirespan.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "wirespan.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{ include "wirespan.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: wirespan
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{/* Components that are deployed, as JSON. */}}
{{- define "wirespan.components" -}}
{{- $all := list "agent" -}}
{{- if ne .Values.transport "direct" }}{{ $all = append $all "gateway" }}{{ end -}}
{{- if eq .Values.kubernetes.peers "cache" }}{{ $all = append $all "cache" }}{{ end -}}
{{- toJson $all -}}
{{- end }}

{{- define "wirespan.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Whether a component asks the API server for anything: "true" or "". */}}
{{- define "wirespan.usesAPI" -}}
{{- $k := .root.Values.kubernetes -}}
{{- if or (and (eq .component "agent") $k.attributes) (eq .component $k.peers) -}}true{{- end -}}
{{- end }}

{{/* A memory quantity of Kubernetes (Mi or Gi) in MiB, and a share of it in per cent. */}}
{{- define "wirespan.mebibytes" -}}
{{- $n := regexFind "^[0-9]+" .quantity | int -}}
{{- if hasSuffix "Gi" .quantity -}}{{- $n = mul $n 1024 -}}{{- end -}}
{{- div (mul $n .percent) 100 -}}
{{- end }}

{{/* Names of environment variables that have a backend's secrets. */}}
{{- define "wirespan.headerVariable" -}}
WIRESPAN_{{ .backend | upper }}_HEADER_{{ .index }}
{{- end }}
