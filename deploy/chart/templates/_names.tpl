{{- define "istio-operator.labels" -}}
app.kubernetes.io/name: istio-operator
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
