package injector

import (
	"fmt"
	"strconv"
	"strings"

	meshconfig "istio.io/api/mesh/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Names of containers that istiod treats in a special way.
const (
	ProxyContainer      = "istio-proxy"
	InitContainer       = "istio-init"
	ValidationContainer = "istio-validation"
	CoreDumpContainer   = "enable-core-dump"
)

// DefaultProxyID is the user and the group of proxies outside OpenShift.
const DefaultProxyID = 1337

// PodData is what a pod template sees.
type PodData struct {
	TypeMeta                 metav1.TypeMeta
	DeploymentMeta           types.NamespacedName
	ObjectMeta               metav1.ObjectMeta
	Spec                     corev1.PodSpec
	ProxyConfig              *meshconfig.ProxyConfig
	MeshConfig               *meshconfig.MeshConfig
	Values                   map[string]any
	Revision                 string
	NativeSidecars           bool
	ProxyImage               string
	ProxyUID                 int64
	ProxyGID                 int64
	InboundTrafficPolicyMode string
	CompliancePolicy         string
}

// GatewayData is what a template of the Gateway API controller sees.
type GatewayData struct {
	*gatewayv1.Gateway
	GatewayClass              string
	DeploymentName            string
	ServiceAccount            string
	Ports                     []corev1.ServicePort
	ServiceType               corev1.ServiceType
	ClusterID                 string
	KubeVersion               int
	Revision                  string
	NativeSidecars            bool
	ProxyUID                  int64
	ProxyGID                  int64
	CompliancePolicy          string
	InfrastructureLabels      map[string]string
	InfrastructureAnnotations map[string]string
	GatewayNameLabel          string
	ControllerLabel           string
	IsEastWestGateway         bool
	ProxyImage                string
	AgentgatewayImage         string
	ProxyConfig               *meshconfig.ProxyConfig
	MeshConfig                *meshconfig.MeshConfig
	Values                    map[string]any
}

// Image is the full name of an image of the release that `values` name.
func Image(values map[string]any, name, variant string) string {
	tag := TextAt(values, "global", "tag")
	if variant != "" {
		tag = strings.TrimSuffix(strings.TrimSuffix(tag, "-distroless"), "-debug")
		if variant != "default" {
			tag += "-" + variant
		}
	}
	return fmt.Sprintf("%s/%s:%s", TextAt(values, "global", "hub"), name, tag)
}

// ProxyImage is the image of a proxy whose pod or Gateway has these annotations.
func ProxyImage(values map[string]any, proxy *meshconfig.ProxyConfig, annotations map[string]string) string {
	name := TextAt(values, "global", "proxy", "image")
	if name == "" {
		name = "proxyv2"
	}
	return Image(values, name, imageVariant(values, proxy, annotations, "sidecar.istio.io/proxyImageType"))
}

// AgentgatewayImage is the image of an agentgateway whose Gateway has these annotations.
func AgentgatewayImage(values map[string]any, proxy *meshconfig.ProxyConfig, annotations map[string]string) string {
	variant := imageVariant(values, proxy, annotations, "gateway.istio.io/agentgatewayImage")
	return Image(values, "agentgateway", variant)
}

func imageVariant(
	values map[string]any, proxy *meshconfig.ProxyConfig, annotations map[string]string, annotationName string,
) string {
	if variant, present := annotations[annotationName]; present {
		return variant
	}
	if proxy.GetImage() != nil {
		return proxy.GetImage().GetImageType()
	}
	return TextAt(values, "global", "variant")
}

// TextAt is the string at a path of `values`; empty when there is none.
func TextAt(values map[string]any, path ...string) string {
	text, _ := at(values, path).(string)
	return text
}

// FlagAt is the boolean at a path of `values`; false when there is none.
func FlagAt(values map[string]any, path ...string) bool {
	flag, _ := at(values, path).(bool)
	return flag
}

func at(values map[string]any, path []string) any {
	var current any = values
	for _, key := range path {
		entries, isMap := current.(map[string]any)
		if !isMap {
			return nil
		}
		current = entries[key]
	}
	return current
}

const (
	uidRangeAnnotation = "openshift.io/sa.scc.uid-range"
	gidRangeAnnotation = "openshift.io/sa.scc.supplemental-groups"
)

// IDs are the user and the group of a proxy: the last of the ranges that OpenShift gives to a namespace.
func IDs(namespace map[string]string) (uid, gid int64) {
	uid, gid = DefaultProxyID, DefaultProxyID
	if _, last, ok := idRange(namespace[uidRangeAnnotation]); ok {
		uid, gid = last, last
	}
	if _, last, ok := idRange(namespace[gidRangeAnnotation]); ok {
		gid = last
	}
	return uid, gid
}

// FirstUID is what OpenShift gives to every container of a namespace that asks for no user.
func FirstUID(namespace map[string]string) (int64, bool) {
	first, _, ok := idRange(namespace[uidRangeAnnotation])
	return first, ok
}

// idRange reads `first/count` and `first-last`; of a list of ranges it takes the first.
func idRange(text string) (first, last int64, ok bool) {
	text, _, _ = strings.Cut(text, ",")
	if start, count, isBlock := strings.Cut(text, "/"); isBlock {
		first, err1 := strconv.ParseInt(start, 10, 64)
		size, err2 := strconv.ParseInt(count, 10, 64)
		return first, first + size - 1, err1 == nil && err2 == nil
	}
	start, end, isRange := strings.Cut(text, "-")
	first, err1 := strconv.ParseInt(start, 10, 64)
	last, err2 := strconv.ParseInt(end, 10, 64)
	return first, last, isRange && err1 == nil && err2 == nil
}
