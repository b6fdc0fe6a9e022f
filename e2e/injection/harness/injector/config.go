// Package injector reads the injector's ConfigMap and executes its templates as istiod does.
package injector

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Config is the `config` payload.
type Config struct {
	Policy               string                 `json:"policy"`
	DefaultTemplates     []string               `json:"defaultTemplates"`
	RawTemplates         map[string]string      `json:"templates"`
	Aliases              map[string][]string    `json:"aliases"`
	NeverInjectSelector  []metav1.LabelSelector `json:"neverInjectSelector"`
	AlwaysInjectSelector []metav1.LabelSelector `json:"alwaysInjectSelector"`
	InjectedAnnotations  map[string]string      `json:"injectedAnnotations"`
}

// Injector is the ConfigMap, parsed.
type Injector struct {
	Config    Config
	Values    map[string]any
	templates map[string]*template.Template
}

// Parse reads both payloads and parses every template; one bad template spoils the whole config, as in istiod.
func Parse(configText, valuesText string, coverage *Coverage) (*Injector, error) {
	injector := &Injector{templates: map[string]*template.Template{}}
	if err := yaml.Unmarshal([]byte(configText), &injector.Config); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if err := json.Unmarshal([]byte(valuesText), &injector.Values); err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	if len(injector.Config.DefaultTemplates) == 0 {
		injector.Config.DefaultTemplates = []string{"sidecar"}
	}
	for name, text := range injector.Config.RawTemplates {
		parsed, err := template.New(name).Funcs(Functions()).Funcs(coverage.functions()).Parse(text)
		if err != nil {
			return nil, err
		}
		coverage.instrument(parsed, text)
		injector.templates[name] = parsed
	}
	return injector, nil
}

// Render executes one template.
func (i *Injector) Render(name string, data any) (string, error) {
	parsed, known := i.templates[name]
	if !known {
		return "", fmt.Errorf("the injector has no template %q", name)
	}
	var text strings.Builder
	if err := parsed.Execute(&text, data); err != nil {
		return "", err
	}
	return text.String(), nil
}
