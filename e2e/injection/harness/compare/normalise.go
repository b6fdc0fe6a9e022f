package compare

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// podPaths tells where each kind keeps the specification of pods.
var podPaths = map[string][]string{
	"CronJob": {"spec", "jobTemplate", "spec", "template"},
	"Pod":     {},
}

var defaultPodPath = []string{"spec", "template"}

// normalise brings an object into a form in which equal meaning is equal text: entries of lists that Kubernetes keys by
// name stand under their name, JSON inside of texts is parsed, and what is empty is gone.
func normalise(object Object) (any, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var copied Object
	if err := json.Unmarshal(text, &copied); err != nil {
		return nil, err
	}
	kind, _ := copied["kind"].(string)
	if kind == untypedKind {
		dropZeros(copied)
	}
	path, special := podPaths[kind]
	if !special {
		path = defaultPodPath
	}
	if kind == "Service" {
		keyList(copied, []string{"spec", "ports"}, "port")
	} else if holder := at(copied, path); holder != nil {
		if err := normalisePod(holder); err != nil {
			return nil, fmt.Errorf("%s: %w", identityOf(object), err)
		}
	}
	normaliseMetadata(copied)
	return withoutEmpty(copied), nil
}

// untypedKind is the only workload without a Go type here. Of the others, reading leaves out what is zero.
const untypedKind = "DeploymentConfig"

func dropZeros(object Object) {
	delete(object, "status")
	spec, _ := object["spec"].(Object)
	for key, value := range spec {
		if value == false || value == 0.0 {
			delete(spec, key)
		}
	}
}

func at(object Object, path []string) Object {
	for _, key := range path {
		next, isObject := object[key].(Object)
		if !isObject {
			return nil
		}
		object = next
	}
	return object
}

// normaliseMetadata makes texts of labels and annotations, which YAML 1.1 may have read as something else.
func normaliseMetadata(object Object) {
	metadata, _ := object["metadata"].(Object)
	for _, field := range []string{"labels", "annotations"} {
		entries, _ := metadata[field].(Object)
		for key, value := range entries {
			entries[key] = parsedIfJSON(fmt.Sprint(value))
		}
	}
}

func normalisePod(holder Object) error {
	normaliseMetadata(holder)
	var spec corev1.PodSpec
	text, err := json.Marshal(holder["spec"])
	if err != nil {
		return err
	}
	// Through the type, quantities such as 1024Mi and 1Gi become the same text.
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	if text, err = json.Marshal(spec); err != nil {
		return err
	}
	var tree Object
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	for _, field := range []string{"containers", "initContainers"} {
		list, _ := tree[field].([]any)
		for _, container := range list {
			normaliseContainer(container.(Object))
		}
	}
	normaliseVolumes(tree)
	keyList(tree, []string{"volumes"}, "name")
	keyList(tree, []string{"imagePullSecrets"}, "name")
	holder["spec"] = tree
	return nil
}

func normaliseContainer(container Object) {
	environment, _ := container["env"].([]any)
	for _, entry := range environment {
		variable := entry.(Object)
		if text, isText := variable["value"].(string); isText {
			variable["value"] = parsedIfJSON(strings.TrimRight(text, "\n"))
		}
	}
	keyList(container, []string{"env"}, "name")
	keyList(container, []string{"volumeMounts"}, "mountPath")
	keyList(container, []string{"ports"}, "containerPort")
}

// normaliseVolumes writes down the source that Kubernetes gives to a volume without one. The name is kept, so that an
// emptyDir is never dropped as empty.
func normaliseVolumes(spec Object) {
	volumes, _ := spec["volumes"].([]any)
	for _, entry := range volumes {
		volume := entry.(Object)
		if len(volume) == 1 {
			volume["emptyDir"] = Object{}
		}
		for source, settings := range volume {
			if empty, isMap := settings.(Object); isMap && len(empty) == 0 {
				volume[source] = "with defaults"
			}
		}
	}
}

// keyList turns a list into a map by one of its fields. Several entries of one key stay a list, in their order.
func keyList(object Object, path []string, field string) {
	parent := at(object, path[:len(path)-1])
	last := path[len(path)-1]
	list, isList := parent[last].([]any)
	if !isList {
		return
	}
	keyed := Object{}
	for _, entry := range list {
		key := fmt.Sprint(entry.(Object)[field])
		switch previous := keyed[key].(type) {
		case nil:
			keyed[key] = entry
		case []any:
			keyed[key] = append(previous, entry)
		default:
			keyed[key] = []any{previous, entry}
		}
	}
	parent[last] = keyed
}

// parsedIfJSON prints JSON in one way, so that layout and the order of keys don't count.
func parsedIfJSON(text string) any {
	trimmed := strings.TrimSpace(text)
	if !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		return text
	}
	var value any
	if json.Unmarshal([]byte(trimmed), &value) != nil {
		return text
	}
	canonical, err := json.Marshal(value)
	if err != nil {
		return text
	}
	return string(canonical)
}

func withoutEmpty(value any) any {
	switch typed := value.(type) {
	case Object:
		rest := Object{}
		for key, entry := range typed {
			if kept := withoutEmpty(entry); kept != nil && key != "creationTimestamp" {
				rest[key] = kept
			}
		}
		if len(rest) == 0 {
			return nil
		}
		return rest
	case []any:
		var rest []any
		for _, entry := range typed {
			rest = append(rest, withoutEmpty(entry))
		}
		if len(rest) == 0 {
			return nil
		}
		return rest
	}
	return value
}

var reference = regexp.MustCompile(`\$\(([A-Za-z_][A-Za-z0-9_]*)\)`)

// forwardReferences finds environment variables that name a later one: Kubernetes would leave them as they are.
func forwardReferences(identity string, all []Object) []string {
	var lines []string
	for _, object := range flatten(all) {
		if identityOf(object) != identity {
			continue
		}
		walk(object, func(environment []any) {
			var names []string
			for _, entry := range environment {
				variable, _ := entry.(Object)
				names = append(names, fmt.Sprint(variable["name"]))
			}
			for n, entry := range environment {
				variable, _ := entry.(Object)
				for _, match := range reference.FindAllStringSubmatch(fmt.Sprint(variable["value"]), -1) {
					if slices.Index(names, match[1]) > n {
						lines = append(lines, fmt.Sprintf("%s: %s refers to %s, which comes later", identity, names[n], match[1]))
					}
				}
			}
		})
	}
	return lines
}

func walk(value any, visit func(environment []any)) {
	switch typed := value.(type) {
	case Object:
		for key, entry := range typed {
			if list, isList := entry.([]any); isList && key == "env" {
				visit(list)
			}
			walk(entry, visit)
		}
	case []any:
		for _, entry := range typed {
			walk(entry, visit)
		}
	}
}
