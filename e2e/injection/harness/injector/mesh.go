package injector

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	meshconfig "istio.io/api/mesh/v1alpha1"
	"sigs.k8s.io/yaml"
)

// proxyDefaults are istiod's built-in settings of a proxy; a proxy is not told what equals them.
var proxyDefaults = map[string]any{
	"configPath":               "./etc/istio/proxy",
	"binaryPath":               "/usr/local/bin/envoy",
	"controlPlaneAuthPolicy":   "MUTUAL_TLS",
	"serviceCluster":           "istio-proxy",
	"drainDuration":            "45s",
	"terminationDrainDuration": "5s",
	"discoveryAddress":         "istiod.istio-system.svc:15012",
	"proxyAdminPort":           15000.0,
	"statNameLength":           189.0,
	"statusPort":               15020.0,
}

var meshDefaults = map[string]any{
	"proxyListenPort":        15001.0,
	"proxyInboundListenPort": 15006.0,
	"trustDomain":            "cluster.local",
	"enablePrometheusMerge":  true,
	"defaultConfig":          proxyDefaults,
}

// ParseMesh reads the `mesh` payload of ConfigMap istio over istiod's defaults.
func ParseMesh(text string) (*meshconfig.MeshConfig, error) {
	given := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &given); err != nil {
		return nil, fmt.Errorf("mesh configuration: %w", err)
	}
	settings := maps.Clone(meshDefaults)
	maps.Copy(settings, given)
	proxy, _ := given["defaultConfig"].(map[string]any)
	settings["defaultConfig"] = overlayProxy(proxyDefaults, proxy)
	mesh := &meshconfig.MeshConfig{}
	return mesh, fromTree(settings, mesh)
}

// ProxyConfigFor is the mesh's default with the text of a `proxy.istio.io/config` annotation over it.
func ProxyConfigFor(mesh *meshconfig.MeshConfig, annotation string) (*meshconfig.ProxyConfig, error) {
	own := map[string]any{}
	if err := yaml.Unmarshal([]byte(annotation), &own); err != nil {
		return nil, fmt.Errorf("annotation proxy.istio.io/config: %w", err)
	}
	base, err := toTree(mesh.GetDefaultConfig())
	if err != nil {
		return nil, err
	}
	proxy := &meshconfig.ProxyConfig{}
	return proxy, fromTree(overlayProxy(base, own), proxy)
}

// overlayProxy lets the upper one win field by field; only metadata is merged by key.
func overlayProxy(base, top map[string]any) map[string]any {
	merged := maps.Clone(base)
	maps.Copy(merged, top)
	const metadata = "proxyMetadata"
	below, _ := base[metadata].(map[string]any)
	above, _ := top[metadata].(map[string]any)
	if len(below)+len(above) > 0 {
		entries := map[string]any{}
		maps.Copy(entries, below)
		maps.Copy(entries, above)
		merged[metadata] = entries
	}
	return merged
}

// withoutDefaults is the message as a JSON tree; of a proxy's settings only what differs from the defaults is left.
func withoutDefaults(message proto.Message) map[string]any {
	tree, err := toTree(message)
	if err != nil {
		panic(err) // the message was made from JSON
	}
	if _, isProxy := message.(*meshconfig.ProxyConfig); isProxy {
		maps.DeleteFunc(tree, func(key string, value any) bool { return reflect.DeepEqual(value, proxyDefaults[key]) })
	}
	return tree
}

func toTree(message proto.Message) (map[string]any, error) {
	text, err := protojson.Marshal(message)
	if err != nil {
		return nil, err
	}
	tree := map[string]any{}
	return tree, json.Unmarshal(text, &tree)
}

func fromTree(tree map[string]any, message proto.Message) error {
	text, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(text, message)
}
