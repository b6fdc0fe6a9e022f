// Package runner takes cases through injection and comparison.
package runner

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"istio-operator.dev/e2e/injection/harness/compare"
	"istio-operator.dev/e2e/injection/harness/gatewaydeploy"
	"istio-operator.dev/e2e/injection/harness/injector"
	"istio-operator.dev/e2e/injection/harness/objects"
	"istio-operator.dev/e2e/injection/harness/podinject"
	"istio-operator.dev/e2e/injection/harness/protocol"
)

// run is what the cases of one request share.
type run struct {
	origins   map[string]injector.Origins
	injectors map[string]*injector.Injector
}

// Run takes every case through its runner and reports each result as soon as it is there.
func Run(request protocol.RunRequest, report func(protocol.CaseResult) error) (protocol.RunSummary, error) {
	shared := run{origins: map[string]injector.Origins{}, injectors: map[string]*injector.Injector{}}
	for _, given := range request.Templates {
		shared.origins[given.Name] = injector.NewOrigins(given.Text, given.Origins)
	}
	coverage := injector.NewCoverage(shared.origins)
	for id, payload := range request.Injectors {
		parsed, err := injector.Parse(payload.Config, payload.Values, coverage)
		if err != nil {
			return protocol.RunSummary{}, shared.located(err)
		}
		shared.injectors[id] = parsed
	}
	var summary protocol.RunSummary
	for _, given := range request.Cases {
		result := shared.one(given)
		if len(result.Differences) == 0 {
			summary.Matched++
		} else {
			summary.Failed++
		}
		if err := report(result); err != nil {
			return summary, err
		}
	}
	summary.Unvisited = coverage.Unvisited()
	return summary, nil
}

func (r *run) one(given protocol.Case) protocol.CaseResult {
	result := protocol.CaseResult{Name: given.Name, Differences: []string{}}
	actual, err := r.inject(given)
	if err != nil {
		result.Error = r.located(err).Error()
	}
	if given.Bootstrap != nil && err == nil {
		if err := checkBootstrap(*given.Bootstrap, actual); err != nil {
			result.Differences = append(result.Differences, err.Error())
		}
	}
	if given.Expected == nil && given.ExpectError == "" {
		if result.Objects, err = encoded(actual); err != nil {
			result.Error = err.Error()
		}
		return result
	}
	result.Differences = append(result.Differences, verdict(given, actual, result.Error)...)
	return result
}

func encoded(actual []objects.Object) ([]json.RawMessage, error) {
	var texts []json.RawMessage
	for _, object := range actual {
		text, err := json.Marshal(object)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func verdict(given protocol.Case, actual []objects.Object, failure string) []string {
	if given.ExpectError != "" {
		if strings.Contains(strings.ToLower(failure), given.ExpectError) {
			return nil
		}
		return []string{fmt.Sprintf("got error %q, want one with %q", failure, given.ExpectError)}
	}
	if failure != "" {
		return []string{"got error: " + failure}
	}
	expected, err := decoded(given.Expected)
	if err != nil {
		return []string{err.Error()}
	}
	differences, err := compare.Differences(actual, expected)
	if err != nil {
		return []string{err.Error()}
	}
	return differences
}

func decoded(texts []json.RawMessage) ([]objects.Object, error) {
	var all []objects.Object
	for _, text := range texts {
		object := objects.Object{}
		if err := json.Unmarshal(text, &object); err != nil {
			return nil, err
		}
		all = append(all, object)
	}
	return all, nil
}

func (r *run) inject(given protocol.Case) ([]objects.Object, error) {
	mesh, err := injector.ParseMesh(given.Mesh)
	if err != nil {
		return nil, err
	}
	input, err := objects.Parse(given.Input)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	known, found := r.injectors[given.Injector]
	if !found {
		return nil, fmt.Errorf("there is no injector %q", given.Injector)
	}
	if given.Runner == protocol.GatewayController {
		return gatewaydeploy.Deploy(gatewaydeploy.Settings{
			Injector: known, Mesh: mesh, Revision: given.Revision, NativeSidecars: given.NativeSidecars,
			CompliancePolicy: given.CompliancePolicy, Namespaces: given.Namespaces, KubeMinor: given.KubeMinor,
		}, input)
	}
	settings := podinject.Settings{
		Injector: known, Mesh: mesh, Revision: given.Revision, NativeSidecars: given.NativeSidecars,
		OpenShift: given.OpenShift, CompliancePolicy: given.CompliancePolicy, URLPath: given.URLPath,
		Namespaces: given.Namespaces, ByWebhook: given.Runner == protocol.Webhook,
	}
	asPod := settings.ByWebhook && expectsPod(given.Expected)
	var injected []objects.Object
	for _, object := range input {
		result, err := injectOne(settings, object, asPod)
		if err != nil {
			return nil, err
		}
		injected = append(injected, result)
	}
	return injected, nil
}

// expectsPod tells whether a case of the webhook shows the pod, or the workload that the pod was taken from.
func expectsPod(expected []json.RawMessage) bool {
	for _, text := range expected {
		var kind struct {
			Kind string `json:"kind"`
		}
		if json.Unmarshal(text, &kind) == nil && kind.Kind != "Pod" {
			return false
		}
	}
	return true
}

func injectOne(settings podinject.Settings, object objects.Object, asPod bool) (objects.Object, error) {
	if !asPod {
		return podinject.InjectObject(settings, object)
	}
	pod, err := podinject.PodOfWorkload(object)
	if err != nil {
		return nil, err
	}
	var injected corev1.Pod
	metadata, _ := object["metadata"].(objects.Object)
	namespace, _ := metadata["namespace"].(string)
	if injected, err = podinject.InjectPod(settings, pod, namespace); err != nil {
		return nil, err
	}
	return objects.Tree(injected)
}

var templateLine = regexp.MustCompile(`template: ([\w-]+):(\d+)(?::\d+)?:`)

// located replaces the line of a composed template in a message by the place in the sources.
func (r *run) located(err error) error {
	if err == nil {
		return nil
	}
	message := templateLine.ReplaceAllStringFunc(err.Error(), func(match string) string {
		parts := templateLine.FindStringSubmatch(match)
		origins, ours := r.origins[parts[1]]
		line, _ := strconv.Atoi(parts[2])
		if !ours {
			return match
		}
		return origins.Of(line) + ":"
	})
	return fmt.Errorf("%s", message)
}
