// Command helm renders a chart with Helm's own engine, as `helm template` would, and prints one JSON object for each
// object of Kubernetes. The values are read from standard input as JSON.
//
//	helm CHART-FOLDER NAMESPACE < values.json
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := render(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "helm:", err)
		os.Exit(1)
	}
}

func render(arguments []string, in io.Reader, out io.Writer) error {
	if len(arguments) != 2 {
		return fmt.Errorf("usage: helm CHART-FOLDER NAMESPACE < values.json")
	}
	chart, err := loader.Load(arguments[0])
	if err != nil {
		return err
	}
	values := map[string]any{}
	if err := json.NewDecoder(in).Decode(&values); err != nil {
		return err
	}
	release := chartutil.ReleaseOptions{Name: "istio-operator", Namespace: arguments[1], Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, all)
	if err != nil {
		return err
	}
	return printObjects(files, out)
}

func printObjects(files map[string]string, out io.Writer) error {
	objects := json.NewEncoder(out)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(file) != ".yaml" {
			continue
		}
		manifests := releaseutil.SplitManifests(files[file])
		for _, name := range slices.Sorted(maps.Keys(manifests)) {
			object := map[string]any{}
			if err := yaml.Unmarshal([]byte(manifests[name]), &object); err != nil {
				return fmt.Errorf("%s: %w in\n%s", file, err, strings.TrimSpace(manifests[name]))
			}
			if len(object) == 0 {
				continue
			}
			if err := objects.Encode(object); err != nil {
				return err
			}
		}
	}
	return nil
}
