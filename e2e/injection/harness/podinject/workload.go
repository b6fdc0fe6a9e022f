package podinject

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Object is any Kubernetes object as a JSON tree.
type Object = map[string]any

// templatePaths tells where each kind of workload keeps its pod template; a Pod is its own.
var templatePaths = map[string]templatePath{
	// The command line takes the job's metadata for the pod's.
	"CronJob":               {metadata: []string{"spec", "jobTemplate"}, spec: []string{"spec", "jobTemplate", "spec", "template"}},
	"DaemonSet":             inSpec,
	"Deployment":            inSpec,
	"DeploymentConfig":      inSpec,
	"Job":                   inSpec,
	"Pod":                   {},
	"ReplicaSet":            inSpec,
	"ReplicationController": inSpec,
	"StatefulSet":           inSpec,
}

type templatePath struct{ metadata, spec []string }

var inSpec = templatePath{metadata: []string{"spec", "template"}, spec: []string{"spec", "template"}}

// InjectObject injects the pod template of a workload, or those of each item of a list. Other kinds are returned as
// they are.
func InjectObject(settings Settings, object Object) (Object, error) {
	kind, _ := object["kind"].(string)
	if kind == "List" {
		return injectList(settings, object)
	}
	path, isWorkload := templatePaths[kind]
	if !isWorkload {
		return object, nil
	}
	pod, err := podOf(object, path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	owner := ownerOfPod(pod)
	if kind != "Pod" {
		owner = enclosingOwner(object)
	}
	namespace, _ := metadataOf(object)["namespace"].(string)
	injected, err := Inject(settings, pod, owner, namespace)
	if err != nil {
		return nil, err
	}
	return object, replace(object, path, injected)
}

func injectList(settings Settings, list Object) (Object, error) {
	items, _ := list["items"].([]any)
	for n, item := range items {
		object, isObject := item.(Object)
		if !isObject {
			return nil, fmt.Errorf("item %d of the list is no object", n)
		}
		injected, err := InjectObject(settings, object)
		if err != nil {
			return nil, err
		}
		items[n] = injected
	}
	return list, nil
}

// hash stands in for what the Deployment controller would compute.
const hash = "5d4f"

// PodOfWorkload is the pod that the controllers would make of a workload, as the webhook gets to see it.
func PodOfWorkload(object Object) (corev1.Pod, error) {
	kind, _ := object["kind"].(string)
	pod, err := podOf(object, templatePaths[kind])
	if err != nil || kind == "Pod" {
		return pod, err
	}
	owner := enclosingOwner(object)
	pod.APIVersion, pod.Kind = "v1", "Pod"
	pod.GenerateName = owner.Name.Name + "-"
	controller := metav1.OwnerReference{APIVersion: owner.Type.APIVersion, Kind: kind, Name: owner.Name.Name}
	if kind == "Deployment" {
		pod.GenerateName += hash + "-"
		controller = metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: owner.Name.Name + "-" + hash}
		if pod.Labels == nil {
			pod.Labels = map[string]string{}
		}
		pod.Labels["pod-template-hash"] = hash
	}
	isController := true
	controller.Controller = &isController
	pod.OwnerReferences = []metav1.OwnerReference{controller}
	return pod, nil
}

// InjectPod injects a pod as the webhook gets to see it in a namespace.
func InjectPod(settings Settings, pod corev1.Pod, namespace string) (corev1.Pod, error) {
	owner := ownerOfPod(pod)
	owner.Name.Namespace = namespace
	return Inject(settings, pod, owner, namespace)
}

var cronJobRun = regexp.MustCompile(`^(.+)-\d{8,10}$`)

// ownerOfPod works out the workload behind a pod from its controller.
func ownerOfPod(pod corev1.Pod) Owner {
	owner := Owner{
		Type: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		Name: types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name},
	}
	n := slices.IndexFunc(pod.OwnerReferences, func(r metav1.OwnerReference) bool { return r.Controller != nil && *r.Controller })
	if pod.GenerateName == "" || n < 0 {
		return owner
	}
	controller := pod.OwnerReferences[n]
	owner.Type = metav1.TypeMeta{APIVersion: controller.APIVersion, Kind: controller.Kind}
	owner.Name.Name = controller.Name
	switch controller.Kind {
	case "ReplicaSet":
		for label, kind := range map[string]metav1.TypeMeta{
			"pod-template-hash":          {APIVersion: controller.APIVersion, Kind: "Deployment"},
			"rollouts-pod-template-hash": {APIVersion: "v1alpha1", Kind: "Rollout"},
		} {
			if name, cut := strings.CutSuffix(controller.Name, "-"+pod.Labels[label]); cut && pod.Labels[label] != "" {
				owner.Type, owner.Name.Name = kind, name
			}
		}
	case "ReplicationController":
		if config := pod.Labels["deploymentconfig"]; config != "" {
			owner.Type.Kind, owner.Name.Name = "DeploymentConfig", config
		}
	case "Job":
		if match := cronJobRun.FindStringSubmatch(controller.Name); match != nil {
			owner.Type, owner.Name.Name = metav1.TypeMeta{APIVersion: "batch/v1", Kind: "CronJob"}, match[1]
		}
	}
	return owner
}

func enclosingOwner(object Object) Owner {
	var owner Owner
	owner.Type.APIVersion, _ = object["apiVersion"].(string)
	owner.Type.Kind, _ = object["kind"].(string)
	owner.Name.Name, _ = metadataOf(object)["name"].(string)
	owner.Name.Namespace, _ = metadataOf(object)["namespace"].(string)
	return owner
}

func metadataOf(object Object) Object {
	metadata, _ := object["metadata"].(Object)
	return metadata
}

func descend(object Object, path []string) (Object, error) {
	for _, key := range path {
		next, isObject := object[key].(Object)
		if !isObject {
			return nil, fmt.Errorf("has no %s", strings.Join(path, "."))
		}
		object = next
	}
	return object, nil
}

func podOf(object Object, path templatePath) (corev1.Pod, error) {
	var pod corev1.Pod
	outer, err := descend(object, path.metadata)
	if err != nil {
		return pod, err
	}
	inner, err := descend(object, path.spec)
	if err != nil {
		return pod, err
	}
	template := Object{"apiVersion": outer["apiVersion"], "kind": outer["kind"], "metadata": outer["metadata"], "spec": inner["spec"]}
	text, err := json.Marshal(template)
	if err != nil {
		return pod, err
	}
	return pod, json.Unmarshal(text, &pod)
}

func replace(object Object, path templatePath, pod corev1.Pod) error {
	text, err := json.Marshal(pod)
	if err != nil {
		return err
	}
	var tree Object
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	outer, err := descend(object, path.metadata)
	if err != nil {
		return err
	}
	inner, err := descend(object, path.spec)
	if err != nil {
		return err
	}
	outer["metadata"], inner["spec"] = tree["metadata"], tree["spec"]
	return nil
}
