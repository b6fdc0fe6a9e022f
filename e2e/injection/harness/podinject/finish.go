package podinject

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"istio-operator.dev/e2e/injection/harness/injector"
)

// status is the annotation that marks an injected pod.
type status struct {
	InitContainers   []string `json:"initContainers"`
	Containers       []string `json:"containers"`
	Volumes          []string `json:"volumes"`
	ImagePullSecrets []string `json:"imagePullSecrets"`
	Revision         string   `json:"revision"`
}

func statusOf(pod corev1.Pod) (*status, error) {
	text, present := pod.Annotations[statusAnnotation]
	if !present {
		return nil, nil
	}
	previous := &status{}
	if err := json.Unmarshal([]byte(text), previous); err != nil {
		return nil, fmt.Errorf("annotation %s: %w", statusAnnotation, err)
	}
	return previous, nil
}

// finish does what istiod does after the merge, in its order.
func (i *injection) finish(pod, templatePod corev1.Pod) (corev1.Pod, error) {
	i.setClusterEnvironment(&pod)
	if err := i.mergePrometheus(&pod); err != nil {
		return pod, err
	}
	if err := i.rewriteProbes(&pod); err != nil {
		return pod, err
	}
	if err := i.setStatus(&pod, templatePod); err != nil {
		return pod, err
	}
	i.order(&pod)
	return pod, nil
}

func proxyOf(pod *corev1.Pod) *corev1.Container {
	if proxy := containerNamed(pod.Spec.Containers, injector.ProxyContainer); proxy != nil {
		return proxy
	}
	return containerNamed(pod.Spec.InitContainers, injector.ProxyContainer)
}

func setEnvironment(container *corev1.Container, name, value string) {
	container.Env = slices.DeleteFunc(container.Env, func(e corev1.EnvVar) bool { return e.Name == name })
	container.Env = append(container.Env, corev1.EnvVar{Name: name, Value: value})
}

func (i *injection) setClusterEnvironment(pod *corev1.Pod) {
	if proxy := proxyOf(pod); proxy != nil {
		if i.cluster != "" {
			setEnvironment(proxy, "ISTIO_META_CLUSTER_ID", i.cluster)
		}
		if i.network != "" {
			setEnvironment(proxy, "ISTIO_META_NETWORK", i.network)
		}
		for _, name := range slices.Sorted(maps.Keys(i.environment)) {
			setEnvironment(proxy, name, i.environment[name])
		}
	}
	if i.network != "" {
		if pod.Labels == nil {
			pod.Labels = map[string]string{}
		}
		pod.Labels[networkLabel] = i.network
	}
}

var notWord = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// prometheusAnnotation finds an annotation in any of the spellings that Prometheus takes for the same.
func prometheusAnnotation(pod *corev1.Pod, word string) (name, text string) {
	for key, value := range pod.Annotations {
		if notWord.ReplaceAllString(key, "_") == "prometheus_io_"+word {
			return key, value
		}
	}
	return "", ""
}

type scrapeTarget struct {
	Scrape string `json:"scrape"`
	Path   string `json:"path"`
	Port   string `json:"port"`
}

// mergePrometheus sends scrapes to the agent, which asks the application in turn.
func (i *injection) mergePrometheus(pod *corev1.Pod) error {
	merge := i.Mesh.GetEnablePrometheusMerge().GetValue()
	if own, present := i.original.Annotations["prometheus.istio.io/merge-metrics"]; present {
		merge = own == "true"
	}
	if templated, present := pod.Annotations["prometheus.istio.io/merge-metrics"]; present {
		merge = templated == "true"
	}
	statusPort := fmt.Sprint(i.Mesh.GetDefaultConfig().GetStatusPort())
	var own scrapeTarget
	names := map[string]string{}
	for word, field := range map[string]*string{"scrape": &own.Scrape, "path": &own.Path, "port": &own.Port} {
		names[word], *field = prometheusAnnotation(pod, word)
	}
	if !merge || own.Scrape == "false" || own.Port == statusPort {
		return nil
	}
	if proxy := proxyOf(pod); proxy != nil && own != (scrapeTarget{}) {
		text, err := json.Marshal(own)
		if err != nil {
			return err
		}
		setEnvironment(proxy, "ISTIO_PROMETHEUS_ANNOTATIONS", string(text))
	}
	for _, name := range names {
		delete(pod.Annotations, name)
	}
	setAnnotation(pod, "prometheus.io/port", statusPort)
	setAnnotation(pod, "prometheus.io/path", "/stats/prometheus")
	setAnnotation(pod, "prometheus.io/scrape", "true")
	return nil
}

func (i *injection) setStatus(pod *corev1.Pod, templatePod corev1.Pod) error {
	record := status{Revision: i.revision()}
	if record.Revision == "" {
		record.Revision = "default"
	}
	for _, container := range templatePod.Spec.InitContainers {
		record.InitContainers = append(record.InitContainers, container.Name)
	}
	for _, container := range templatePod.Spec.Containers {
		record.Containers = append(record.Containers, container.Name)
	}
	for _, volume := range templatePod.Spec.Volumes {
		record.Volumes = append(record.Volumes, volume.Name)
	}
	for _, secret := range templatePod.Spec.ImagePullSecrets {
		record.ImagePullSecrets = append(record.ImagePullSecrets, secret.Name)
	}
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	setAnnotation(pod, statusAnnotation, string(text))
	if i.ByWebhook {
		for name, value := range i.Injector.Config.InjectedAnnotations {
			setAnnotation(pod, name, value)
		}
	}
	return nil
}

// order puts the proxy where it has to start and stop.
func (i *injection) order(pod *corev1.Pod) {
	hold := i.proxy.GetHoldApplicationUntilProxyStarts().GetValue() ||
		injector.FlagAt(i.Injector.Values, "global", "proxy", "holdApplicationUntilProxyStarts")
	if hold {
		moveFirst(pod.Spec.Containers, injector.ProxyContainer)
	} else {
		moveLast(pod.Spec.Containers, injector.ProxyContainer)
	}
	initial := pod.Spec.InitContainers
	if containerNamed(initial, injector.ProxyContainer) != nil {
		for _, name := range []string{
			injector.CoreDumpContainer, injector.ProxyContainer, injector.ValidationContainer, injector.InitContainer,
		} {
			moveFirst(initial, name)
		}
		return
	}
	moveFirst(initial, injector.ValidationContainer)
	moveLast(initial, injector.InitContainer)
	moveLast(initial, injector.CoreDumpContainer)
}

func moveFirst(containers []corev1.Container, name string) {
	slices.SortStableFunc(containers, func(a, b corev1.Container) int { return rank(b, name) - rank(a, name) })
}

func moveLast(containers []corev1.Container, name string) {
	slices.SortStableFunc(containers, func(a, b corev1.Container) int { return rank(a, name) - rank(b, name) })
}

func rank(container corev1.Container, name string) int {
	if container.Name == name {
		return 1
	}
	return 0
}
