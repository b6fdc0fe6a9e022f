// Package compare tells how two lists of Kubernetes objects differ in meaning.
package compare

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Object is any Kubernetes object as a JSON tree.
type Object = map[string]any

// Differences lists what differs, one line a place: `Deployment/a spec.x: got 1, want 2`. Objects are matched by kind
// and name, whatever their order.
func Differences(actual, expected []Object) ([]string, error) {
	got, err := byIdentity(actual)
	if err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	want, err := byIdentity(expected)
	if err != nil {
		return nil, fmt.Errorf("expected: %w", err)
	}
	var lines []string
	for _, identity := range sortedKeys(got, want) {
		place := func(path string) string { return identity + " " + strings.TrimPrefix(path, ".") }
		diff(got[identity], want[identity], "", func(path string, a, b any) {
			lines = append(lines, fmt.Sprintf("%s: got %s, want %s", place(path), printed(a), printed(b)))
		})
		lines = append(lines, forwardReferences(identity, actual)...)
	}
	return lines, nil
}

func byIdentity(all []Object) (map[string]any, error) {
	found := map[string]any{}
	for _, object := range flatten(all) {
		normal, err := normalise(object)
		if err != nil {
			return nil, err
		}
		identity := identityOf(object)
		if _, twice := found[identity]; twice {
			return nil, fmt.Errorf("%s stands there twice", identity)
		}
		found[identity] = normal
	}
	return found, nil
}

func identityOf(object Object) string {
	metadata, _ := object["metadata"].(Object)
	name := metadata["name"]
	if name == nil {
		name = metadata["generateName"]
	}
	return fmt.Sprintf("%v/%v", object["kind"], name)
}

func flatten(all []Object) []Object {
	var flat []Object
	for _, object := range all {
		items, isList := object["items"].([]any)
		if !isList {
			flat = append(flat, object)
			continue
		}
		for _, item := range items {
			if member, isObject := item.(Object); isObject {
				flat = append(flat, flatten([]Object{member})...)
			}
		}
	}
	return flat
}

func diff(got, want any, path string, report func(path string, got, want any)) {
	gotMap, isMap := got.(Object)
	wantMap, alsoMap := want.(Object)
	if isMap && alsoMap {
		for _, key := range sortedKeys(gotMap, wantMap) {
			diff(gotMap[key], wantMap[key], path+"."+key, report)
		}
		return
	}
	gotList, isList := got.([]any)
	wantList, alsoList := want.([]any)
	if isList && alsoList && len(gotList) == len(wantList) {
		for n := range gotList {
			diff(gotList[n], wantList[n], fmt.Sprintf("%s[%d]", path, n), report)
		}
		return
	}
	if !reflect.DeepEqual(got, want) {
		report(path, got, want)
	}
}

func printed(value any) string {
	if value == nil {
		return "nothing"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

func sortedKeys[V any](left, right map[string]V) []string {
	keys := maps.Clone(left)
	if keys == nil {
		keys = map[string]V{}
	}
	maps.Copy(keys, right)
	return slices.Sorted(maps.Keys(keys))
}
