package templatecheck

import (
	"fmt"
	"reflect"
)

// shape is what is known about a value before any template runs.
type shape interface {
	// field is the shape of a field, method or key; an error when there can't be one of that name.
	field(name string) (shape, error)
	// element is the shape of what ranging or indexing gives.
	element() shape
}

// unknown is a value of which anything may be asked.
type unknown struct{}

func (unknown) field(string) (shape, error) { return unknown{}, nil }
func (unknown) element() shape              { return unknown{} }

// values is a place in the `values` payload. An empty or absent tree below it means that it is free-form.
type values struct {
	path string
	keys any
}

func (v values) field(name string) (shape, error) {
	known, isMap := v.keys.(map[string]any)
	if !isMap || len(known) == 0 {
		return unknown{}, nil
	}
	below, present := known[name]
	if !present {
		return nil, fmt.Errorf("%s has no key %s", v.path, name)
	}
	return values{path: v.path + "." + name, keys: below}, nil
}

func (values) element() shape { return unknown{} }

// typed is a value of a Go type.
type typed struct{ of reflect.Type }

func shapeOf(of reflect.Type) shape {
	if of == nil || of.Kind() == reflect.Interface {
		return unknown{}
	}
	return typed{of}
}

func (t typed) field(name string) (shape, error) {
	for _, receiver := range []reflect.Type{t.of, reflect.PointerTo(t.of)} {
		if method, found := receiver.MethodByName(name); found {
			return shapeOf(method.Type.Out(0)), nil
		}
	}
	of := t.of
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch of.Kind() {
	case reflect.Struct:
		if field, found := of.FieldByName(name); found && field.IsExported() {
			return shapeOf(field.Type), nil
		}
	case reflect.Map:
		if of.Key().Kind() == reflect.String {
			return shapeOf(of.Elem()), nil
		}
	}
	return nil, fmt.Errorf("%s has no field or method %s", of, name)
}

func (t typed) element() shape {
	switch t.of.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map, reflect.Pointer:
		return shapeOf(t.of.Elem())
	}
	return unknown{}
}

// fits tells whether a function that wants a type can take a value of this shape.
func fits(argument shape, wanted reflect.Type) bool {
	given, isTyped := argument.(typed)
	if !isTyped || wanted.Kind() == reflect.Interface && given.of.Implements(wanted) {
		return true
	}
	if given.of.AssignableTo(wanted) || reflect.PointerTo(given.of).AssignableTo(wanted) {
		return true
	}
	return given.of.Kind() == reflect.Pointer && given.of.Elem().AssignableTo(wanted)
}
