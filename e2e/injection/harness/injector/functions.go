package injector

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Functions is what a template may call: sprig, and istiod's own functions, which hide sprig's of the same name.
func Functions() template.FuncMap {
	functions := sprig.TxtFuncMap()
	maps.Copy(functions, template.FuncMap{
		"annotation":             annotation,
		"appendMultusNetwork":    appendMultusNetwork,
		"applicationPorts":       applicationPorts,
		"contains":               func(needle, haystack string) bool { return strings.Contains(haystack, needle) },
		"directory":              directory,
		"env":                    func(_, otherwise string) string { return otherwise }, // no case sets istiod's environment
		"excludeInboundPort":     excludeInboundPort,
		"excludeInterfaces":      func(list string) string { return list },
		"formatDuration":         func(d *durationpb.Duration) string { return d.AsDuration().String() },
		"fromJSON":               fromJSON,
		"includeInboundPorts":    includeInboundPorts,
		"indent":                 indent,
		"isset":                  isset,
		"kubevirtInterfaces":     func(list string) string { return list },
		"mergeMaps":              mergeMaps,
		"omit":                   omit,
		"omitNil":                omitNil,
		"otelResourceAttributes": otelResourceAttributes,
		"protoToJSON":            protoToJSON,
		"strdict":                strdict,
		"structToJSON":           structToJSON,
		"toJSON":                 toJSON,
		"toJsonMap":              func(all ...map[string]string) (string, error) { return toJSON(mergeMaps(all...)) },
		"toLower":                strings.ToLower,
		"toYaml":                 toYaml,
		"valueOrDefault":         valueOrDefault,
	})
	return functions
}

func annotation(meta metav1.ObjectMeta, name string, otherwise any) string {
	if text, present := meta.Annotations[name]; present {
		return text
	}
	return fmt.Sprint(otherwise)
}

func isset(entries map[string]string, key string) bool {
	_, present := entries[key]
	return present
}

// valueOrDefault keeps 0 and false, unlike sprig's default.
func valueOrDefault(value, otherwise any) any {
	if value == nil || value == "" {
		return otherwise
	}
	return value
}

func excludeInboundPort(port any, list string) string {
	excluded := strings.TrimSpace(fmt.Sprint(port))
	if excluded == "" || excluded == "0" {
		return list
	}
	var ports []string
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == excluded {
			return list
		}
		if entry != "" {
			ports = append(ports, entry)
		}
	}
	return strings.Join(append(ports, excluded), ",")
}

func includeInboundPorts(containers []corev1.Container) string {
	var ports []string
	for _, container := range containers {
		for _, port := range container.Ports {
			if port.Protocol == "" || port.Protocol == corev1.ProtocolTCP {
				ports = append(ports, fmt.Sprint(port.ContainerPort))
			}
		}
	}
	return strings.Join(ports, ",")
}

func applicationPorts(containers []corev1.Container) string {
	var applications []corev1.Container
	for _, container := range containers {
		if container.Name != ProxyContainer {
			applications = append(applications, container)
		}
	}
	return includeInboundPorts(applications)
}

// appendMultusNetwork extends an annotation that is either a JSON list or a comma list of networks.
func appendMultusNetwork(existing, network string) string {
	existing = strings.TrimSpace(existing)
	switch {
	case existing == "":
		return network
	case !strings.HasPrefix(existing, "["):
		if strings.Contains(existing, network) {
			return existing
		}
		return existing + ", " + network
	}
	var listed []map[string]any
	if json.Unmarshal([]byte(existing), &listed) != nil {
		return existing
	}
	namespace, name, _ := strings.Cut(network, "/")
	for _, entry := range listed {
		if entry["name"] == name && entry["namespace"] == namespace {
			return existing
		}
	}
	end := strings.LastIndex(existing, "]")
	separator := ", "
	if len(listed) == 0 {
		separator = ""
	}
	return fmt.Sprintf(`%s%s{"name": %q, "namespace": %q}]`, existing[:end], separator, name, namespace)
}

func directory(file string) string {
	folder, _ := path.Split(file)
	return folder
}

func toJSON(entries map[string]string) (string, error) {
	if entries == nil {
		return "{}", nil
	}
	return structToJSON(entries)
}

// fromJSON gives the text "{}" for what is no JSON, so that ranging over it fails.
func fromJSON(text string) any {
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return "{}"
	}
	return value
}

func structToJSON(value any) (string, error) {
	if value == nil {
		return "{}", nil
	}
	text, err := json.Marshal(value)
	return string(text), err
}

func protoToJSON(message proto.Message) (string, error) {
	text, err := json.Marshal(withoutDefaults(message))
	return string(text), err
}

func toYaml(value any) (string, error) {
	text, err := yaml.Marshal(value)
	return string(text), err
}

// indent leaves the first line where it is, unlike sprig's.
func indent(spaces int, text string) string {
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", spaces))
}

func mergeMaps(all ...map[string]string) map[string]string {
	merged := map[string]string{}
	for _, entries := range all {
		maps.Copy(merged, entries)
	}
	return merged
}

func strdict(words ...string) map[string]string {
	entries := map[string]string{}
	for i := 0; i < len(words); i += 2 {
		entries[words[i]] = ""
		if i+1 < len(words) {
			entries[words[i]] = words[i+1]
		}
	}
	return entries
}

func omit(entries map[string]string, keys ...string) map[string]string {
	rest := maps.Clone(entries)
	for _, key := range keys {
		delete(rest, key)
	}
	return rest
}

// omitNil drops nulls at every depth, and maps and lists that hold nothing then.
func omitNil(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		rest := map[string]any{}
		for key, entry := range typed {
			if kept := omitNil(entry); kept != nil {
				rest[key] = kept
			}
		}
		if len(rest) > 0 {
			return rest
		}
		return nil
	case []any:
		var rest []any
		for _, entry := range typed {
			if kept := omitNil(entry); kept != nil {
				rest = append(rest, kept)
			}
		}
		if len(rest) > 0 {
			return rest
		}
		return nil
	}
	return value
}
