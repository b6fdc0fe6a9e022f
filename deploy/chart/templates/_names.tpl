{{- /* The revision, where it is one with a name: its operator runs beside others. */ -}}
{{- define "istio-operator.revision" -}}
{{- $revision := .Values.revision -}}
{{- if and $revision (ne $revision "default") -}}
{{- if or (regexMatch "(^|-)(control-plane|gateways|node-agents|addons|reports|network-attachments|election|(addons|revision-default|tag-default)-istio-system)$" $revision) (gt (len $revision) 48) -}}
{{- fail (printf "revision: no operator can have the revision %q: its objects would have names of another's, or longer ones than Kubernetes allows. Choose another." $revision) -}}
{{- end -}}
{{- $revision -}}
{{- end -}}
{{- end }}

{{- define "istio-operator.name" -}}
{{- with include "istio-operator.revision" . }}{{ printf "istio-operator-%s" . }}{{ else }}istio-operator{{ end -}}
{{- end }}

{{- define "istio-operator.labels" -}}
app.kubernetes.io/name: {{ include "istio-operator.name" . }}
app.kubernetes.io/part-of: istio
{{- end }}

{{- define "istio-operator.image" -}}
{{- $name := printf "%s:%s" .Values.image.name (default .Chart.AppVersion .Values.image.tag) -}}
{{- if .Values.image.hub }}{{ printf "%s/%s" .Values.image.hub $name }}{{ else }}{{ $name }}{{ end -}}
{{- end }}

{{- /* An object that outlives the release. */ -}}
{{- define "istio-operator.kept" -}}
{{- $keep := dict "metadata" (dict "annotations" (dict "helm.sh/resource-policy" "keep")) -}}
{{- toYaml (mergeOverwrite . $keep) -}}
{{- end }}
