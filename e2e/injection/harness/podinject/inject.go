// Package podinject does to a pod what istiod's injector does, as the facts about it tell: decide, validate, render,
// merge, and finish.
package podinject

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	meshconfig "istio.io/api/mesh/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"istio-operator.dev/e2e/injection/harness/injector"
)

const (
	statusAnnotation    = "sidecar.istio.io/status"
	overridesAnnotation = "proxy.istio.io/overrides"
	networkLabel        = "topology.istio.io/network"
)

// Settings are those of the control plane that injects.
type Settings struct {
	Injector         *injector.Injector
	Mesh             *meshconfig.MeshConfig
	Revision         string
	NativeSidecars   bool
	OpenShift        bool
	CompliancePolicy string
	URLPath          string
	Namespaces       map[string]map[string]string
	// ByWebhook tells the admission webhook from the command line, which knows neither policy nor selectors.
	ByWebhook bool
}

// Owner is the workload that a pod belongs to, as far as injection knows it.
type Owner struct {
	Type metav1.TypeMeta
	Name types.NamespacedName
}

// injection is one pod on its way.
type injection struct {
	Settings
	original    corev1.Pod
	owner       Owner
	namespace   map[string]string
	proxy       *meshconfig.ProxyConfig
	previous    *status
	cluster     string
	network     string
	environment map[string]string
}

// Inject returns the injected pod, or the same pod when it is not to be injected. `namespace` is where it will live.
func Inject(settings Settings, pod corev1.Pod, owner Owner, namespace string) (corev1.Pod, error) {
	wanted, err := shouldInject(settings, pod, namespace)
	if err != nil || !wanted {
		return pod, err
	}
	if err := validateAnnotations(pod.Annotations); err != nil {
		return pod, err
	}
	i := &injection{Settings: settings, original: pod, owner: owner, namespace: settings.Namespaces[namespace]}
	if i.proxy, err = injector.ProxyConfigFor(settings.Mesh, pod.Annotations["proxy.istio.io/config"]); err != nil {
		return pod, err
	}
	if i.previous, err = statusOf(pod); err != nil {
		return pod, err
	}
	i.locate()
	return i.run()
}

// locate works out cluster and network: values, then the webhook's URL, then the pod's own label.
func (i *injection) locate() {
	i.cluster = injector.TextAt(i.Injector.Values, "global", "multiCluster", "clusterName")
	i.network = injector.TextAt(i.Injector.Values, "global", "network")
	i.environment = map[string]string{}
	words := strings.Split(strings.TrimPrefix(i.URLPath, "/inject/"), "/")
	for n := 0; n+1 < len(words); n += 2 {
		value := strings.ReplaceAll(words[n+1], "--slash--", "/")
		switch words[n] {
		case "cluster":
			i.cluster = value
		case "net":
			i.network = value
		default:
			i.environment[strings.ToUpper(words[n])] = value
		}
	}
	if own := i.original.Labels[networkLabel]; own != "" {
		i.network = own
	}
}

func (i *injection) run() (corev1.Pod, error) {
	names, err := i.templateNames()
	if err != nil {
		return i.original, err
	}
	data := i.data()
	var templatePod corev1.Pod
	pod := i.original
	for _, name := range names {
		text, err := i.Injector.Render(name, data)
		if err != nil {
			return pod, err
		}
		if templatePod, err = overlay(templatePod, []byte(text)); err != nil {
			return pod, fmt.Errorf("template %s: %w", name, err)
		}
		if pod, err = overlay(pod, []byte(text)); err != nil {
			return pod, fmt.Errorf("template %s: %w", name, err)
		}
	}
	if pod, err = i.keepUserContainers(pod, templatePod); err != nil {
		return pod, err
	}
	return i.finish(pod, templatePod)
}

// templateNames expands aliases once; the command line always starts from `sidecar`.
func (i *injection) templateNames() ([]string, error) {
	names := []string{"sidecar"}
	if i.ByWebhook {
		names = i.Injector.Config.DefaultTemplates
	}
	if own, present := i.original.Annotations["inject.istio.io/templates"]; present {
		names = strings.Split(own, ",")
	}
	var expanded []string
	for _, name := range names {
		name = strings.TrimSpace(name)
		if members, isAlias := i.Injector.Config.Aliases[name]; isAlias {
			expanded = append(expanded, members...)
		} else {
			expanded = append(expanded, name)
		}
	}
	for _, name := range expanded {
		if _, known := i.Injector.Config.RawTemplates[name]; !known {
			return nil, fmt.Errorf("inject.istio.io/templates names %q, which the injector does not have", name)
		}
	}
	return expanded, nil
}

func (i *injection) data() *injector.PodData {
	uid, gid := int64(injector.DefaultProxyID), int64(injector.DefaultProxyID)
	if i.OpenShift {
		uid, gid = injector.IDs(i.namespace)
	}
	bare := i.withoutEarlierInjection()
	return &injector.PodData{
		TypeMeta:                 i.owner.Type,
		DeploymentMeta:           i.owner.Name,
		ObjectMeta:               bare.ObjectMeta,
		Spec:                     bare.Spec,
		ProxyConfig:              i.proxy,
		MeshConfig:               i.Mesh,
		Values:                   i.Injector.Values,
		Revision:                 i.revision(),
		NativeSidecars:           i.NativeSidecars,
		ProxyImage:               injector.ProxyImage(i.Injector.Values, i.proxy, i.original.Annotations),
		ProxyUID:                 uid,
		ProxyGID:                 gid,
		InboundTrafficPolicyMode: inboundPolicy(i.Mesh),
		CompliancePolicy:         i.CompliancePolicy,
	}
}

// revision is empty for the default one on the command line only.
func (i *injection) revision() string {
	if i.ByWebhook && i.Revision == "" {
		return "default"
	}
	return i.Revision
}

func inboundPolicy(mesh *meshconfig.MeshConfig) string {
	if mesh.GetInboundTrafficPolicy().GetMode() == meshconfig.MeshConfig_InboundTrafficPolicy_LOCALHOST {
		return "localhost"
	}
	return "passthrough"
}

// withoutEarlierInjection is the pod as its user wrote it, as far as the status annotation tells.
func (i *injection) withoutEarlierInjection() corev1.Pod {
	pod := *i.original.DeepCopy()
	if i.previous == nil {
		return pod
	}
	pod.Spec.Containers = without(pod.Spec.Containers, i.previous.Containers)
	pod.Spec.InitContainers = without(pod.Spec.InitContainers, i.previous.InitContainers)
	pod.Spec.Volumes = slices.DeleteFunc(pod.Spec.Volumes, func(v corev1.Volume) bool {
		return slices.Contains(i.previous.Volumes, v.Name)
	})
	pod.Spec.ImagePullSecrets = slices.DeleteFunc(pod.Spec.ImagePullSecrets, func(r corev1.LocalObjectReference) bool {
		return slices.Contains(i.previous.ImagePullSecrets, r.Name)
	})
	var own overrides
	if json.Unmarshal([]byte(pod.Annotations[overridesAnnotation]), &own) == nil {
		pod.Spec.Containers = append(pod.Spec.Containers, own.Containers...)
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, own.InitContainers...)
	}
	delete(pod.Annotations, statusAnnotation)
	delete(pod.Annotations, overridesAnnotation)
	return pod
}

func without(containers []corev1.Container, names []string) []corev1.Container {
	return slices.DeleteFunc(containers, func(c corev1.Container) bool { return slices.Contains(names, c.Name) })
}

func containerNamed(containers []corev1.Container, name string) *corev1.Container {
	for n := range containers {
		if containers[n].Name == name {
			return &containers[n]
		}
	}
	return nil
}
