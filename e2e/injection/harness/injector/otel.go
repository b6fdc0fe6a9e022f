package injector

import (
	"strings"

	meshconfig "istio.io/api/mesh/v1alpha1"
	corev1 "k8s.io/api/core/v1"
)

const semanticConventions = meshconfig.MeshConfig_ExtensionProvider_OTEL_SEMANTIC_CONVENTIONS

// otelResourceAttributes describes a workload in OpenTelemetry's words when a tracing provider of the mesh asks for it.
func otelResourceAttributes(
	mesh *meshconfig.MeshConfig, annotations, labels map[string]string, namespace string, containers []corev1.Container,
) string {
	if !wantsSemanticConventions(mesh) {
		return ""
	}
	var attributes []string
	add := func(name string, candidates ...string) {
		for _, candidate := range candidates {
			if candidate != "" {
				attributes = append(attributes, name+"="+candidate)
				return
			}
		}
	}
	const prefix = "resource.opentelemetry.io/"
	add("service.namespace", annotations[prefix+"service.namespace"], namespace)
	add("service.version", annotations[prefix+"service.version"], labels["app.kubernetes.io/version"],
		versionOfOnly(containers))
	add("service.instance.id", annotations[prefix+"service.instance.id"], instanceID(namespace, containers))
	return strings.Join(attributes, ",")
}

func wantsSemanticConventions(mesh *meshconfig.MeshConfig) bool {
	for _, provider := range mesh.GetExtensionProviders() {
		if provider.GetOpentelemetry().GetServiceAttributeEnrichment() == semanticConventions {
			return true
		}
	}
	return false
}

// versionOfOnly is the tag or digest of the image when there is no doubt which container is the service.
func versionOfOnly(containers []corev1.Container) string {
	if len(containers) != 1 {
		return ""
	}
	image := containers[0].Image
	if _, digest, found := strings.Cut(image, "@"); found {
		return digest
	}
	name := image[strings.LastIndex(image, "/")+1:]
	_, tag, _ := strings.Cut(name, ":")
	return tag
}

func instanceID(namespace string, containers []corev1.Container) string {
	if len(containers) == 0 {
		return ""
	}
	return namespace + ".$(POD_NAME)." + containers[0].Name
}
