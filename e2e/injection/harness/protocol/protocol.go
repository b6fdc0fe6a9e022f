// Package protocol is what the test suite says to the harness on standard input, and what it hears back.
package protocol

import "encoding/json"

// Runner names the way in which a case reaches the templates.
type Runner string

const (
	// KubeInject injects workloads as the command line does: policy and selectors play no part.
	KubeInject Runner = "kube-inject"
	// Webhook injects one pod as the admission webhook does.
	Webhook Runner = "webhook"
	// GatewayController renders the objects that serve a Gateway API resource.
	GatewayController Runner = "gateway-controller"
)

// Template is one composed template and, for each of its lines, the place in the sources it came from.
type Template struct {
	Name    string   `json:"name"`
	Text    string   `json:"text"`
	Origins []string `json:"origins"`
}

// Injector is the payload of ConfigMap istio-sidecar-injector.
type Injector struct {
	Config string `json:"config"`
	Values string `json:"values"`
}

// Bootstrap tells what the init container of grpc-simple has to write.
type Bootstrap struct {
	Env  map[string]string `json:"env"`
	File string            `json:"file"`
	JSON json.RawMessage   `json:"json"`
}

// Case is one input with the settings of the control plane that sees it.
type Case struct {
	Name             string                       `json:"name"`
	Runner           Runner                       `json:"runner"`
	Injector         string                       `json:"injector"`
	Mesh             string                       `json:"mesh"`
	Input            string                       `json:"input"`
	Expected         []json.RawMessage            `json:"expected"`
	ExpectError      string                       `json:"expectError"`
	NativeSidecars   bool                         `json:"nativeSidecars"`
	Revision         string                       `json:"revision"`
	OpenShift        bool                         `json:"openshift"`
	Namespaces       map[string]map[string]string `json:"namespaces"`
	URLPath          string                       `json:"urlPath"`
	CompliancePolicy string                       `json:"compliancePolicy"`
	KubeMinor        string                       `json:"kubeMinor"`
	Bootstrap        *Bootstrap                   `json:"bootstrap"`
}

// RunRequest asks to inject cases and to compare each result with what is expected. A case without `expected` and
// `expectError` is only rendered.
type RunRequest struct {
	Templates []Template          `json:"templates"`
	Injectors map[string]Injector `json:"injectors"`
	Cases     []Case              `json:"cases"`
}

// CaseResult is one line of the answer to a RunRequest.
type CaseResult struct {
	Name        string            `json:"name"`
	Differences []string          `json:"differences"`
	Error       string            `json:"error,omitempty"`
	Objects     []json.RawMessage `json:"objects,omitempty"`
}

// RunSummary is the last line of the answer to a RunRequest.
type RunSummary struct {
	Matched int `json:"matched"`
	Failed  int `json:"failed"`
	// Unvisited are the branches of the composed templates that no case went through, by place in the sources.
	Unvisited []string `json:"unvisited"`
}

// CheckRequest asks to check templates without running them.
type CheckRequest struct {
	Templates []Template `json:"templates"`
	// ValuesKeys is a tree of the keys that `values` may hold; what is below a leaf is free-form.
	ValuesKeys map[string]any `json:"valuesKeys"`
}

// CheckAnswer lists the faults in the order of the templates, each with its place in the sources.
type CheckAnswer struct {
	Faults []Fault `json:"faults"`
}

// Fault is one mistake in a template.
type Fault struct {
	Template string `json:"template"`
	Place    string `json:"place"`
	Message  string `json:"message"`
}
