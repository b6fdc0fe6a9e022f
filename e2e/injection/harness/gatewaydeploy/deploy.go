// Package gatewaydeploy renders the objects that serve a Gateway, as istiod's deployment controller does.
package gatewaydeploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	meshconfig "istio.io/api/mesh/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"istio-operator.dev/e2e/injection/harness/injector"
	"istio-operator.dev/e2e/injection/harness/objects"
)

// Settings are those of the control plane that deploys.
type Settings struct {
	Injector         *injector.Injector
	Mesh             *meshconfig.MeshConfig
	Revision         string
	NativeSidecars   bool
	CompliancePolicy string
	Namespaces       map[string]map[string]string
	// KubeMinor is the minor version of Kubernetes; empty is a current one.
	KubeMinor string
}

const (
	networkLabel = "topology.istio.io/network"
	managedLabel = "gateway.istio.io/managed"
	nameLabel    = "gateway.networking.k8s.io/gateway-name"
	currentMinor = "34"
)

// class is what the controller knows about a GatewayClass.
type class struct {
	template    string
	controller  string
	label       string
	serviceType corev1.ServiceType
	// suffixed classes append their name to the Gateway's.
	suffixed bool
}

var classes = map[string]class{
	"istio": {
		template: "kube-gateway", controller: "istio.io-gateway-controller", label: "istio.io-gateway-controller",
		serviceType: corev1.ServiceTypeLoadBalancer, suffixed: true,
	},
	"istio-waypoint": {
		template: "waypoint", controller: "istio.io-mesh-controller", label: "istio.io-mesh-controller",
		serviceType: corev1.ServiceTypeClusterIP,
	},
	"istio-east-west": {
		template: "waypoint", controller: "istio.io-eastwest-controller", label: "istio.io-eastwest-controller",
		serviceType: corev1.ServiceTypeLoadBalancer,
	},
	"istio-agentgateway": {
		template: "agentgateway", controller: "istio.io-agentgateway-controller", label: "istio.io-gateway-controller",
		serviceType: corev1.ServiceTypeLoadBalancer,
	},
}

// Deploy renders the objects of every Gateway among the given objects; ConfigMaps among them are overlays.
func Deploy(settings Settings, given []objects.Object) ([]objects.Object, error) {
	var deployed []objects.Object
	for _, object := range given {
		if object["kind"] != "Gateway" {
			continue
		}
		gateway := &gatewayv1.Gateway{}
		if err := objects.Into(object, gateway); err != nil {
			return nil, err
		}
		rendered, err := deployOne(settings, gateway, given)
		if err != nil {
			return nil, fmt.Errorf("gateway %s: %w", gateway.Name, err)
		}
		deployed = append(deployed, rendered...)
	}
	return deployed, nil
}

func deployOne(settings Settings, gateway *gatewayv1.Gateway, given []objects.Object) ([]objects.Object, error) {
	kind, known := classes[string(gateway.Spec.GatewayClassName)]
	if !known {
		return nil, fmt.Errorf("class %q is not one of the controller's", gateway.Spec.GatewayClassName)
	}
	data, err := dataOf(settings, gateway, kind)
	if err != nil {
		return nil, err
	}
	text, err := settings.Injector.Render(kind.template, data)
	if err != nil {
		return nil, err
	}
	overlays, err := overlaysOf(gateway, given)
	if err != nil {
		return nil, err
	}
	var deployed []objects.Object
	for _, document := range objects.Documents(text) {
		object, keep, err := finish(document, overlays)
		if err != nil {
			return nil, err
		}
		if keep {
			labelManaged(object, kind.controller)
			deployed = append(deployed, object)
		}
	}
	return deployed, nil
}

func dataOf(settings Settings, gateway *gatewayv1.Gateway, kind class) (*injector.GatewayData, error) {
	values := settings.Injector.Values
	proxy, err := injector.ProxyConfigFor(settings.Mesh, "")
	if err != nil {
		return nil, err
	}
	className := string(gateway.Spec.GatewayClassName)
	name := gateway.Name
	if kind.suffixed {
		name += "-" + className
	}
	serviceType := kind.serviceType
	if own := gateway.Annotations["networking.istio.io/service-type"]; own != "" {
		serviceType = corev1.ServiceType(own)
	}
	clusterID := injector.TextAt(values, "global", "multiCluster", "clusterName")
	if clusterID == "" {
		clusterID = "Kubernetes"
	}
	version, err := kubeVersion(settings.KubeMinor)
	if err != nil {
		return nil, err
	}
	uid, gid := injector.IDs(settings.Namespaces[gateway.Namespace])
	labels, annotations := infrastructure(gateway, values)
	return &injector.GatewayData{
		Gateway:                   gateway,
		GatewayClass:              className,
		DeploymentName:            orDefault(gateway.Annotations["gateway.istio.io/name-override"], name),
		ServiceAccount:            orDefault(gateway.Annotations["gateway.istio.io/service-account"], name),
		Ports:                     servicePorts(gateway),
		ServiceType:               serviceType,
		ClusterID:                 clusterID,
		KubeVersion:               version,
		Revision:                  orDefault(settings.Revision, "default"),
		NativeSidecars:            settings.NativeSidecars,
		ProxyUID:                  uid,
		ProxyGID:                  gid,
		CompliancePolicy:          settings.CompliancePolicy,
		InfrastructureLabels:      labels,
		InfrastructureAnnotations: annotations,
		GatewayNameLabel:          nameLabel,
		ControllerLabel:           kind.label,
		IsEastWestGateway:         className == "istio-east-west",
		ProxyImage:                injector.ProxyImage(values, proxy, gateway.Annotations),
		AgentgatewayImage:         injector.AgentgatewayImage(values, proxy, gateway.Annotations),
		ProxyConfig:               proxy,
		MeshConfig:                settings.Mesh,
		Values:                    values,
	}, nil
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func kubeVersion(minor string) (int, error) {
	return strconv.Atoi("1" + orDefault(minor, currentMinor))
}

// infrastructure is what the Gateway wants on its objects: its own field for it, or else a copy of its metadata.
func infrastructure(gateway *gatewayv1.Gateway, values map[string]any) (labels, annotations map[string]string) {
	labels, annotations = maps.Clone(gateway.Labels), maps.Clone(gateway.Annotations)
	if own := gateway.Spec.Infrastructure; own != nil {
		if own.Labels != nil {
			labels = textMap(own.Labels)
		}
		if own.Annotations != nil {
			annotations = textMap(own.Annotations)
		}
	}
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	className := string(gateway.Spec.GatewayClassName)
	inMesh := strings.Contains(className, "waypoint") || strings.Contains(className, "east-west")
	if _, set := labels["istio.io/dataplane-mode"]; !set && !inMesh {
		labels["istio.io/dataplane-mode"] = "none"
	}
	if network := injector.TextAt(values, "global", "network"); inMesh && network != "" && gateway.Labels[networkLabel] == "" {
		labels[networkLabel] = network
	}
	return labels, annotations
}

func textMap[K, V ~string](entries map[K]V) map[string]string {
	texts := map[string]string{}
	for key, value := range entries {
		if !strings.HasPrefix(string(key), "gateway.networking.k8s.io/") {
			texts[string(key)] = string(value)
		}
	}
	return texts
}

const longestPortName = 63

func servicePorts(gateway *gatewayv1.Gateway) []corev1.ServicePort {
	status := "tcp"
	ports := []corev1.ServicePort{{Name: "status-port", Port: 15021, AppProtocol: &status}}
	var seen []int32
	for _, listener := range gateway.Spec.Listeners {
		if slices.Contains(seen, int32(listener.Port)) {
			continue
		}
		seen = append(seen, int32(listener.Port))
		name := strings.ReplaceAll(string(listener.Name), ".", "-")
		protocol := strings.ToLower(string(listener.Protocol))
		ports = append(ports, corev1.ServicePort{
			Name: name[:min(len(name), longestPortName)], Port: int32(listener.Port), AppProtocol: &protocol,
		})
	}
	return ports
}

// overlayKeys are the kinds that a template may render, with the key of their overlay; true marks those that exist only
// with an overlay.
var overlayKeys = map[string]struct {
	key      string
	optional bool
	schema   any
}{
	"Deployment":              {"deployment", false, appsv1.Deployment{}},
	"HorizontalPodAutoscaler": {"horizontalPodAutoscaler", true, autoscalingv2.HorizontalPodAutoscaler{}},
	"PodDisruptionBudget":     {"podDisruptionBudget", true, policyv1.PodDisruptionBudget{}},
	"Service":                 {"service", false, corev1.Service{}},
	"ServiceAccount":          {"serviceAccount", false, corev1.ServiceAccount{}},
}

func overlaysOf(gateway *gatewayv1.Gateway, given []objects.Object) (map[string]string, error) {
	infrastructure := gateway.Spec.Infrastructure
	if infrastructure == nil || infrastructure.ParametersRef == nil {
		return nil, nil
	}
	for _, object := range given {
		var parameters corev1.ConfigMap
		if object["kind"] != "ConfigMap" {
			continue
		}
		if err := objects.Into(object, &parameters); err != nil {
			return nil, err
		}
		if parameters.Name == infrastructure.ParametersRef.Name {
			return parameters.Data, nil
		}
	}
	return nil, fmt.Errorf("there is no ConfigMap %s", infrastructure.ParametersRef.Name)
}

func finish(document string, overlays map[string]string) (objects.Object, bool, error) {
	text, err := yaml.YAMLToJSON([]byte(document))
	if err != nil {
		return nil, false, objects.WithLine(err, document)
	}
	object := objects.Object{}
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, false, err
	}
	kind, _ := object["kind"].(string)
	rule, allowed := overlayKeys[kind]
	if !allowed {
		return nil, false, fmt.Errorf("the controller does not deploy a %q", kind)
	}
	patchText, patched := overlays[rule.key]
	if !patched {
		return object, !rule.optional, nil
	}
	patch, err := yaml.YAMLToJSON([]byte(patchText))
	if err != nil {
		return nil, false, err
	}
	merged, err := strategicpatch.StrategicMergePatch(text, patch, rule.schema)
	if err != nil {
		return nil, false, err
	}
	result := objects.Object{}
	return result, true, json.Unmarshal(merged, &result)
}

func labelManaged(object objects.Object, controller string) {
	metadata, _ := object["metadata"].(objects.Object)
	labels, hasLabels := metadata["labels"].(objects.Object)
	if !hasLabels {
		labels = objects.Object{}
		metadata["labels"] = labels
	}
	labels[managedLabel] = controller
}
