{{/* Labels of one part: (dict "root" $ "name" "certs-api") */}}
{{- define "certrail.selector" -}}
app.kubernetes.io/name: certrail
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "certrail.labels" -}}
{{ include "certrail.selector" . }}
app.kubernetes.io/part-of: certrail
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "certrail.fullname" -}}
{{ printf "%s-%s" .root.Release.Name .name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "certrail.image" -}}
{{ printf "%s/%s:%s" .root.Values.image.registry .image (.root.Values.image.tag | default .root.Chart.AppVersion) }}
{{- end }}

{{/* Facts of the code, one entry a service. */}}
{{- define "certrail.facts" -}}
{{ .Files.Get "files/services.yaml" }}
{{- end }}

{{/* What every pod of ours is confined by: (dict "root" $ "user" 10001) */}}
{{- define "certrail.pod" -}}
serviceAccountName: {{ .root.Values.serviceAccountName }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "certrail.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "certrail.spread" -}}
topologySpreadConstraints:
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "certrail.selector" $ | nindent 8 }}
{{- end }}
{{- end }}

{{/* Seconds from the signal to the kill: those in which requests still find their way here, draining, a quarter of it
for the relay, and fifteen to close everything. */}}
{{- define "certrail.grace" -}}
{{ add 15 .Values.leaveSeconds .Values.drainSeconds (div (add .Values.drainSeconds 3) 4) }}
{{- end }}

{{- define "certrail.probes" -}}
startupProbe: # it answers once the database does and is migrated
  httpGet: {path: /healthz, port: internal}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 120
livenessProbe:
  httpGet: {path: /healthz, port: internal}
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
readinessProbe:
  httpGet: {path: /readyz, port: internal}
  periodSeconds: 5
  timeoutSeconds: 4
  failureThreshold: 2
{{- end }}
