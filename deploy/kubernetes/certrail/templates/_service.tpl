{{/* Where a mounted variable points to: (dict "variable" … "mount" …) */}}
{{- define "certrail.mountpath" -}}
/run/certrail/{{ .variable | trimPrefix "CERTRAIL_" | lower | replace "_" "-" }}
{{- end }}

{{/* Environment of a service's processes: (dict "root" $ "name" "certs" "service" its values "facts" its facts).
A setting of the service goes before one of all; what the chart itself sets is nobody's to change. */}}
{{- define "certrail.environment" -}}
{{- $root := .root }}
{{- $service := .service }}
{{- $own := dict "CERTRAIL_PUBLIC_URL" $root.Values.publicUrl "CERTRAIL_LEAVE_SECONDS" (toString $root.Values.leaveSeconds) "CERTRAIL_DRAIN_SECONDS" (toString $root.Values.drainSeconds) }}
{{- $_ := set $own "CERTRAIL_JWKS_URL" (printf "http://%s:8080/api/identity/v1/jwks.json" (include "certrail.fullname" (dict "root" $root "name" "identity-api"))) }}
{{- if $root.Values.programs.configMap }}{{ $_ := set $own "CERTRAIL_PROGRAMS_DIR" "/etc/certrail/programs" }}{{ end }}
{{- if and $root.Values.vendors.configMap (has .name (list "exams" "fulfillment")) }}{{ $_ := set $own "CERTRAIL_VENDORS_DIR" "/etc/certrail/vendors" }}{{ end }}
{{- if $root.Values.tls.authorities.secret }}{{ $_ := set $own "CERTRAIL_TLS_CA_FILE" (printf "/etc/certrail/authorities/%s" $root.Values.tls.authorities.key) }}{{ end }}
{{- if $root.Values.tls.client.secret }}{{ $_ := set $own "CERTRAIL_TLS_CLIENT_FILE" (printf "/etc/certrail/client/%s" $root.Values.tls.client.key) }}{{ end }}
{{- range $variable, $key := .facts.files }}{{ $_ := set $own $variable (printf "/run/certrail/own/%s" $key) }}{{ end }}
{{- if eq .name "portal" }}
{{- range $other := keys $root.Values.services | sortAlpha }}
{{- $_ := set $own (printf "CERTRAIL_%s_URL" (upper $other)) (printf "http://%s:8080" (include "certrail.fullname" (dict "root" $root "name" (printf "%s-api" $other)))) }}
{{- end }}
{{- end }}
{{- range $variable, $mount := $service.mounts }}
{{- $path := include "certrail.mountpath" (dict "variable" $variable) }}
{{- $_ := set $own $variable (ternary (printf "%s/%s" $path (default "" $mount.key)) $path (hasKey $mount "key")) }}
{{- end }}
{{- range $variable, $value := merge $own $service.settings $root.Values.settings }}
- name: {{ $variable }}
  {{- /* Helm reads every number as a floating one, and writes large ones as 5e+08. */}}
  {{- $whole := and (kindIs "float64" $value) (eq (floor $value) $value) }}
  value: {{ ternary (int64 $value) $value (eq $whole true) | quote }}
{{- end }}
{{- range .facts.secrets.required }}
- name: {{ . }}
  valueFrom: {secretKeyRef: {name: {{ $service.secret }}, key: {{ . }}}}
{{- end }}
{{- range .facts.secrets.optional }}
- name: {{ . }}
  valueFrom: {secretKeyRef: {name: {{ $service.secret }}, key: {{ . }}, optional: true}}
{{- end }}
{{- end }}

{{/* The same dictionary. */}}
{{- define "certrail.mounts" -}}
{{- $root := .root }}
- {name: tmp, mountPath: /tmp}
{{- if $root.Values.programs.configMap }}
- {name: programs, mountPath: /etc/certrail/programs, readOnly: true}
{{- end }}
{{- if and $root.Values.vendors.configMap (has .name (list "exams" "fulfillment")) }}
- {name: vendors, mountPath: /etc/certrail/vendors, readOnly: true}
{{- end }}
{{- include "certrail.tlsmounts" $root }}
{{- if .facts.files }}
- {name: own, mountPath: /run/certrail/own, readOnly: true}
{{- end }}
{{- range $variable, $mount := .service.mounts }}
- name: {{ $variable | trimPrefix "CERTRAIL_" | lower | replace "_" "-" }}
  mountPath: {{ include "certrail.mountpath" (dict "variable" $variable) }}
  readOnly: {{ not (hasKey $mount "claim") }}
{{- end }}
{{- end }}

{{- define "certrail.volumes" -}}
{{- $root := .root }}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- if $root.Values.programs.configMap }}
- name: programs
  configMap: {name: {{ $root.Values.programs.configMap }}}
{{- end }}
{{- if and $root.Values.vendors.configMap (has .name (list "exams" "fulfillment")) }}
- name: vendors
  configMap: {name: {{ $root.Values.vendors.configMap }}}
{{- end }}
{{- include "certrail.tlsvolumes" $root }}
{{- if .facts.files }}
- name: own
  secret:
    secretName: {{ .service.secret }}
    defaultMode: 0440
    items:
    {{- range .facts.files }}
      - {key: {{ . }}, path: {{ . }}}
    {{- end }}
{{- end }}
{{- range $variable, $mount := .service.mounts }}
- name: {{ $variable | trimPrefix "CERTRAIL_" | lower | replace "_" "-" }}
  {{- if $mount.secret }}
  secret: {secretName: {{ $mount.secret }}, defaultMode: 0440}
  {{- else if $mount.configMap }}
  configMap: {name: {{ $mount.configMap }}}
  {{- else }}
  persistentVolumeClaim: {claimName: {{ $mount.claim }}}
  {{- end }}
{{- end }}
{{- end }}

{{- define "certrail.tlsmounts" -}}
{{- if .Values.tls.authorities.secret }}
- {name: authorities, mountPath: /etc/certrail/authorities, readOnly: true}
{{- end }}
{{- if .Values.tls.client.secret }}
- {name: client, mountPath: /etc/certrail/client, readOnly: true}
{{- end }}
{{- end }}

{{- define "certrail.tlsvolumes" -}}
{{- with .Values.tls.authorities }}{{ if .secret }}
- name: authorities
  secret: {secretName: {{ .secret }}, items: [{key: {{ .key }}, path: {{ .key }}}]}
{{- end }}{{ end }}
{{- with .Values.tls.client }}{{ if .secret }}
- name: client
  secret: {secretName: {{ .secret }}, defaultMode: 0440, items: [{key: {{ .key }}, path: {{ .key }}}]}
{{- end }}{{ end }}
{{- end }}

{{/* A Deployment: (dict "root" $ "name" "certs" "part" "certs-api" "role" "api" "service" … "facts" … "run" values of the role) */}}
{{- define "certrail.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "certrail.fullname" (dict "root" .root "name" .part) }}
  labels: {{- include "certrail.labels" (dict "root" .root "name" .part) | nindent 4 }}
spec:
  {{- if not .scaled }}
  replicas: {{ .run.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  selector:
    matchLabels: {{- include "certrail.selector" (dict "root" .root "name" .part) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "certrail.labels" (dict "root" .root "name" .part) | nindent 8 }}
        certrail.io/service: {{ .name }}
        certrail.io/role: {{ .role }}
    spec:
      {{- include "certrail.pod" (dict "root" .root "user" 10001) | nindent 6 }}
      terminationGracePeriodSeconds: {{ include "certrail.grace" .root }}
      {{- include "certrail.spread" (dict "root" .root "name" .part) | nindent 6 }}
      containers:
        - name: {{ .name }}
          image: {{ include "certrail.image" (dict "root" .root "image" .name) }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          {{- if ne .name "portal" }}
          args: [--role, {{ .role }}]
          {{- end }}
          env: {{- include "certrail.environment" . | nindent 12 }}
          ports:
            {{- if eq .role "api" }}
            - {name: http, containerPort: 8080}
            {{- end }}
            - {name: internal, containerPort: 9080}
          {{- include "certrail.probes" .root | nindent 10 }}
          resources: {{- toYaml .run.resources | nindent 12 }}
          securityContext: {{- include "certrail.confined" .root | nindent 12 }}
          volumeMounts: {{- include "certrail.mounts" . | nindent 12 }}
      volumes: {{- include "certrail.volumes" . | nindent 8 }}
{{- end }}

{{/* What stands beside a Deployment: (dict "root" $ "part" … "run" …) */}}
{{- define "certrail.beside" -}}
{{- $name := include "certrail.fullname" (dict "root" .root "name" .part) }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "certrail.labels" (dict "root" .root "name" .part) | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "certrail.selector" (dict "root" .root "name" .part) | nindent 6 }}
{{- with .run.autoscaling }}{{ if .enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $name }}
  labels: {{- include "certrail.labels" (dict "root" $.root "name" $.part) | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ $name }}}
  minReplicas: {{ $.run.replicas }}
  maxReplicas: {{ .max }}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ .cpu }}}}
{{- end }}{{ end }}
{{- end }}
