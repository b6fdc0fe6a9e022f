package podinject

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"istio-operator.dev/e2e/injection/harness/injector"
)

const probersVariable = "ISTIO_KUBE_APP_PROBERS"

// prober is the original of a rewritten probe or hook, as the agent is told.
type prober struct {
	HTTPGet        *corev1.HTTPGetAction   `json:"httpGet,omitempty"`
	TCPSocket      *corev1.TCPSocketAction `json:"tcpSocket,omitempty"`
	GRPC           *corev1.GRPCAction      `json:"grpc,omitempty"`
	TimeoutSeconds int32                   `json:"timeoutSeconds,omitempty"`
}

// probeRewriter collects originals while it points probes and hooks to the agent.
type probeRewriter struct {
	port    intstr.IntOrString
	probers map[string]prober
}

// rewriteProbes sends the kubelet's probes through the agent, because mutual TLS would keep them out.
func (i *injection) rewriteProbes(pod *corev1.Pod) error {
	proxy := proxyOf(pod)
	rewrite := injector.FlagAt(i.Injector.Values, "sidecarInjectorWebhook", "rewriteAppHTTPProbe")
	if own, present := pod.Annotations["sidecar.istio.io/rewriteAppHTTPProbers"]; present {
		rewrite = own == "true"
	}
	if proxy == nil || !rewrite {
		return nil
	}
	rewriter := probeRewriter{port: intstr.FromInt32(i.statusPort(pod)), probers: map[string]prober{}}
	for _, containers := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for n := range containers {
			if containers[n].Name != injector.ProxyContainer {
				rewriter.container(&containers[n])
			}
		}
	}
	return rewriter.record(proxy)
}

func (i *injection) statusPort(pod *corev1.Pod) int32 {
	if own, err := strconv.ParseInt(pod.Annotations["status.sidecar.istio.io/port"], 10, 32); err == nil {
		return int32(own)
	}
	return i.Mesh.GetDefaultConfig().GetStatusPort()
}

func (r *probeRewriter) container(container *corev1.Container) {
	health := "/app-health/" + container.Name
	r.probe(container, container.ReadinessProbe, health+"/readyz")
	r.probe(container, container.LivenessProbe, health+"/livez")
	r.probe(container, container.StartupProbe, health+"/startupz")
	if container.Lifecycle != nil {
		hooks := "/app-lifecycle/" + container.Name
		r.hook(container, container.Lifecycle.PreStop, hooks+"/prestopz")
		r.hook(container, container.Lifecycle.PostStart, hooks+"/poststartz")
	}
}

func (r *probeRewriter) probe(container *corev1.Container, probe *corev1.Probe, path string) {
	if probe == nil || alreadyRewritten(probe.HTTPGet) {
		return
	}
	original := prober{TimeoutSeconds: probe.TimeoutSeconds, GRPC: probe.GRPC}
	if target := r.redirect(container, &original, probe.HTTPGet, probe.TCPSocket, path); target != nil {
		probe.ProbeHandler = corev1.ProbeHandler{HTTPGet: target}
	}
}

func (r *probeRewriter) hook(container *corev1.Container, hook *corev1.LifecycleHandler, path string) {
	if hook == nil || alreadyRewritten(hook.HTTPGet) {
		return
	}
	if target := r.redirect(container, &prober{}, hook.HTTPGet, hook.TCPSocket, path); target != nil {
		*hook = corev1.LifecycleHandler{HTTPGet: target}
	}
}

func alreadyRewritten(get *corev1.HTTPGetAction) bool {
	return get != nil && (strings.HasPrefix(get.Path, "/app-health/") || strings.HasPrefix(get.Path, "/app-lifecycle/"))
}

// redirect notes the original under the path and returns where to ask instead; nil when there is nothing to redirect.
func (r *probeRewriter) redirect(
	container *corev1.Container, original *prober, get *corev1.HTTPGetAction, dial *corev1.TCPSocketAction, path string,
) *corev1.HTTPGetAction {
	target := &corev1.HTTPGetAction{}
	switch {
	case get != nil:
		target = get.DeepCopy()
		target.Host = ""
		if target.Scheme == corev1.URISchemeHTTPS {
			target.Scheme = corev1.URISchemeHTTP
		}
		original.HTTPGet = get.DeepCopy()
		original.HTTPGet.Port = resolved(container, get.Port)
	case dial != nil:
		original.TCPSocket = dial.DeepCopy()
		original.TCPSocket.Port = resolved(container, dial.Port)
	case original.GRPC == nil:
		return nil
	}
	target.Path, target.Port = path, r.port
	r.probers[path] = *original
	return target
}

func resolved(container *corev1.Container, port intstr.IntOrString) intstr.IntOrString {
	for _, declared := range container.Ports {
		if port.Type == intstr.String && declared.Name == port.StrVal {
			return intstr.FromInt32(declared.ContainerPort)
		}
	}
	return port
}

// record hands the originals to the agent, together with those of an earlier injection.
func (r *probeRewriter) record(proxy *corev1.Container) error {
	all := map[string]prober{}
	for _, variable := range proxy.Env {
		if variable.Name != probersVariable {
			continue
		}
		if err := json.Unmarshal([]byte(variable.Value), &all); err != nil {
			return fmt.Errorf("%s: %w", probersVariable, err)
		}
	}
	maps.Copy(all, r.probers)
	if len(all) == 0 {
		return nil
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	setEnvironment(proxy, probersVariable, string(text))
	return nil
}
