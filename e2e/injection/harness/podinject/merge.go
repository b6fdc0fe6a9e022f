package podinject

import (
	"encoding/json"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"

	"istio-operator.dev/e2e/injection/harness/injector"
	"istio-operator.dev/e2e/injection/harness/objects"
)

// overrides are a user's own definitions of injected containers, kept on the pod for the next injection.
type overrides struct {
	Containers     []corev1.Container `json:"containers,omitempty"`
	InitContainers []corev1.Container `json:"initContainers,omitempty"`
}

// overlay merges the first YAML document of a template's output over a pod.
func overlay(pod corev1.Pod, patchText []byte) (corev1.Pod, error) {
	patch, err := yaml.YAMLToJSON(patchText)
	if err != nil {
		return pod, objects.WithLine(err, string(patchText))
	}
	return overlayJSON(pod, patch)
}

func overlayJSON(pod corev1.Pod, patch []byte) (corev1.Pod, error) {
	base, err := json.Marshal(pod)
	if err != nil {
		return pod, err
	}
	merged, err := strategicpatch.StrategicMergePatch(base, patch, corev1.Pod{})
	if err != nil {
		return pod, err
	}
	var result corev1.Pod
	return result, json.Unmarshal(merged, &result)
}

// keepUserContainers merges the user's definitions of injected containers again on top, so that the user wins. A second
// injection does that only for a proxy that is a native sidecar now and was not before.
func (i *injection) keepUserContainers(pod, templatePod corev1.Pod) (corev1.Pod, error) {
	own, moved := i.userDefinitions(templatePod)
	for _, container := range moved {
		pod.Spec.Containers = without(pod.Spec.Containers, []string{container.Name})
	}
	record := i.previous == nil
	if !record {
		own = overrides{InitContainers: moved}
	}
	if len(own.Containers)+len(own.InitContainers) > 0 {
		patch, err := json.Marshal(map[string]overrides{"spec": own})
		if err != nil {
			return pod, err
		}
		if pod, err = overlayJSON(pod, patch); err != nil {
			return pod, err
		}
		if record {
			text, err := json.Marshal(own)
			if err != nil {
				return pod, err
			}
			setAnnotation(&pod, overridesAnnotation, string(text))
		}
	}
	i.followUserID(pod.Spec)
	return pod, nil
}

// userDefinitions are the pod's containers that a template brings too. A native sidecar belongs to the init containers
// wherever the user wrote it; `moved` are those that were written elsewhere.
func (i *injection) userDefinitions(templatePod corev1.Pod) (own overrides, moved []corev1.Container) {
	for _, container := range i.original.Spec.Containers {
		container = i.definition(container)
		if containerNamed(templatePod.Spec.Containers, container.Name) != nil {
			own.Containers = append(own.Containers, container)
		} else if containerNamed(templatePod.Spec.InitContainers, container.Name) != nil {
			moved = append(moved, container)
		}
	}
	for _, container := range i.original.Spec.InitContainers {
		if containerNamed(templatePod.Spec.InitContainers, container.Name) != nil {
			own.InitContainers = append(own.InitContainers, i.definition(container))
		}
	}
	own.InitContainers = append(own.InitContainers, moved...)
	return own, moved
}

// definition is what the user decided about a container: not the placeholder image, and not the user that OpenShift
// gives to every container.
func (i *injection) definition(container corev1.Container) corev1.Container {
	container = *container.DeepCopy()
	if container.Image == "auto" {
		container.Image = ""
	}
	first, known := injector.FirstUID(i.namespace)
	if i.OpenShift && known && container.Name == injector.ProxyContainer && container.SecurityContext != nil {
		if uid := container.SecurityContext.RunAsUser; uid != nil && *uid == first {
			container.SecurityContext.RunAsUser = nil
		}
	}
	return container
}

// followUserID lets the traffic rules except the user that the pod's own definition of the proxy asks for.
func (i *injection) followUserID(spec corev1.PodSpec) {
	given := proxyOf(&i.original)
	if given == nil {
		return
	}
	custom := i.definition(*given).SecurityContext
	if custom == nil {
		return
	}
	transparent := i.interceptionMode() == "TPROXY"
	if validation := containerNamed(spec.InitContainers, injector.ValidationContainer); validation != nil && !transparent {
		followIDs(validation.SecurityContext, custom)
	}
	if custom.RunAsUser == nil {
		return
	}
	if proxy := proxyOf(&corev1.Pod{Spec: spec}); transparent && proxy != nil {
		root := int64(0)
		proxy.SecurityContext.RunAsUser = &root
	}
	if *custom.RunAsUser != 0 {
		replaceUserArgument(spec.InitContainers, *custom.RunAsUser)
	}
}

func followIDs(follower, leader *corev1.SecurityContext) {
	if leader.RunAsUser != nil {
		follower.RunAsUser = leader.RunAsUser
	}
	if leader.RunAsGroup != nil {
		follower.RunAsGroup = leader.RunAsGroup
	}
}

func replaceUserArgument(containers []corev1.Container, uid int64) {
	for _, name := range []string{injector.InitContainer, injector.ValidationContainer} {
		container := containerNamed(containers, name)
		if container == nil {
			continue
		}
		if n := slices.Index(container.Args, "-u"); n >= 0 && n+1 < len(container.Args) {
			container.Args[n+1] = strconv.FormatInt(uid, 10)
		}
	}
}

func (i *injection) interceptionMode() string {
	if own := i.original.Annotations["sidecar.istio.io/interceptionMode"]; own != "" {
		return own
	}
	return i.proxy.GetInterceptionMode().String()
}

func setAnnotation(pod *corev1.Pod, name, text string) {
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[name] = text
}
