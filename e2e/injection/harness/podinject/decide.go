package podinject

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const injectKey = "sidecar.istio.io/inject"

var systemNamespaces = []string{"kube-system", "kube-public", "kube-node-lease", "local-path-storage"}

// shouldInject asks the pod, then the selectors, then the policy.
func shouldInject(settings Settings, pod corev1.Pod, namespace string) (bool, error) {
	if pod.Spec.HostNetwork || slices.Contains(systemNamespaces, namespace) {
		return false, nil
	}
	wish, present := pod.Labels[injectKey]
	if !present {
		wish = pod.Annotations[injectKey]
	}
	switch strings.ToLower(wish) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	if !settings.ByWebhook {
		return true, nil
	}
	config := settings.Injector.Config
	if never, err := matchesAny(config.NeverInjectSelector, pod.Labels); err != nil || never {
		return false, err
	}
	if always, err := matchesAny(config.AlwaysInjectSelector, pod.Labels); err != nil || always {
		return always, err
	}
	return config.Policy == "enabled", nil
}

func matchesAny(selectors []metav1.LabelSelector, podLabels map[string]string) (bool, error) {
	for n := range selectors {
		selector, err := metav1.LabelSelectorAsSelector(&selectors[n])
		if err != nil {
			return false, fmt.Errorf("selector %d: %w", n, err)
		}
		if !selector.Empty() && selector.Matches(labels.Set(podLabels)) {
			return true, nil
		}
	}
	return false, nil
}
