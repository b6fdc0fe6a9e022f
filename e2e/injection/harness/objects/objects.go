// Package objects reads Kubernetes objects from YAML as Kubernetes' own tools do.
package objects

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

// Object is any Kubernetes object as a JSON tree.
type Object = map[string]any

// typed are the kinds that are read into their type first. It matters where YAML 1.1 takes a word for something else:
// a label `n` is the text "false" where a label is known to be a text, and a boolean elsewhere.
var typed = map[string]func() any{
	"ConfigMap":             func() any { return &corev1.ConfigMap{} },
	"CronJob":               func() any { return &batchv1.CronJob{} },
	"DaemonSet":             func() any { return &appsv1.DaemonSet{} },
	"Deployment":            func() any { return &appsv1.Deployment{} },
	"Gateway":               func() any { return &gatewayv1.Gateway{} },
	"Job":                   func() any { return &batchv1.Job{} },
	"Pod":                   func() any { return &corev1.Pod{} },
	"ReplicaSet":            func() any { return &appsv1.ReplicaSet{} },
	"ReplicationController": func() any { return &corev1.ReplicationController{} },
	"StatefulSet":           func() any { return &appsv1.StatefulSet{} },
}

var separator = regexp.MustCompile(`(?m)^---.*$`)

// Documents splits a YAML stream; empty documents are left out.
func Documents(text string) []string {
	var documents []string
	for _, document := range separator.Split(text, -1) {
		if strings.TrimSpace(document) != "" {
			documents = append(documents, document)
		}
	}
	return documents
}

// Parse reads all objects of a YAML stream.
func Parse(text string) ([]Object, error) {
	var all []Object
	for _, document := range Documents(text) {
		object, err := parseOne([]byte(document))
		if err != nil {
			return nil, err
		}
		if len(object) > 0 {
			all = append(all, object)
		}
	}
	return all, nil
}

func parseOne(text []byte) (Object, error) {
	var object Object
	if err := yaml.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	kind, _ := object["kind"].(string)
	newObject, known := typed[kind]
	if !known {
		return object, nil
	}
	value := newObject()
	if err := yaml.Unmarshal(text, value); err != nil {
		return nil, err
	}
	return Tree(value)
}

// Tree is a typed object as a JSON tree.
func Tree(value any) (Object, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	object := Object{}
	return object, json.Unmarshal(text, &object)
}

// Into reads a JSON tree into a type.
func Into(object Object, value any) error {
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, value)
}

var yamlLine = regexp.MustCompile(`\bline (\d+)`)

// WithLine adds the line of the text that a YAML error is about: it is rendered, so nobody can look it up.
func WithLine(err error, text string) error {
	match := yamlLine.FindStringSubmatch(err.Error())
	if match == nil {
		return err
	}
	number, _ := strconv.Atoi(match[1])
	lines := strings.Split(text, "\n")
	if number < 1 || number > len(lines) {
		return err
	}
	return fmt.Errorf("%w: %q", err, lines[number-1])
}
