// Package templatecheck finds, without running them, templates that istiod would refuse or stumble over: text that
// doesn't parse, functions, fields and keys that don't exist, calls with the wrong arguments.
package templatecheck

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"text/template"
	"text/template/parse"

	"istio-operator.dev/e2e/injection/harness/injector"
	"istio-operator.dev/e2e/injection/harness/protocol"
)

// gatewayTemplates get a Gateway; all others get a pod.
var gatewayTemplates = map[string]bool{"waypoint": true, "kube-gateway": true, "agentgateway": true, "agentgateway-waypoint": true}

// Check lists the faults of the templates.
func Check(request protocol.CheckRequest) []protocol.Fault {
	faults := []protocol.Fault{}
	for _, given := range request.Templates {
		faults = append(faults, checkOne(given, request.ValuesKeys)...)
	}
	return faults
}

func checkOne(given protocol.Template, valuesKeys map[string]any) []protocol.Fault {
	origins := injector.NewOrigins(given.Text, given.Origins)
	parsed, err := template.New(given.Name).Funcs(injector.Functions()).Parse(given.Text)
	if err != nil {
		line, message := parseFault(given.Text, err)
		return []protocol.Fault{{Template: given.Name, Place: origins.Of(line), Message: message}}
	}
	data := reflect.TypeFor[*injector.PodData]()
	if gatewayTemplates[given.Name] {
		data = reflect.TypeFor[*injector.GatewayData]()
	}
	c := &checker{
		name: given.Name, text: given.Text, origins: origins, root: rootShape{typed{data}, values{".Values", valuesKeys}},
		functions: functionTypes(), variables: []variable{{"$", nil}},
	}
	c.variables[0].of = c.root
	c.list(parsed.Root, c.root)
	return c.faults
}

// rootShape is the data of a template; its Values are known better than their Go type tells.
type rootShape struct {
	typed
	values values
}

func (r rootShape) field(name string) (shape, error) {
	if name == "Values" {
		return r.values, nil
	}
	return r.typed.field(name)
}

func functionTypes() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for name, function := range injector.Functions() {
		types[name] = reflect.TypeOf(function)
	}
	return types
}

type variable struct {
	name string
	of   shape
}

type checker struct {
	name      string
	text      string
	origins   injector.Origins
	root      shape
	functions map[string]reflect.Type
	variables []variable
	faults    []protocol.Fault
}

func (c *checker) fault(node parse.Node, err error) {
	line := 1 + strings.Count(c.text[:min(int(node.Position()), len(c.text))], "\n")
	fault := protocol.Fault{Template: c.name, Place: c.origins.Of(line), Message: fmt.Sprintf("<%s>: %s", node, err)}
	for _, known := range c.faults {
		if known == fault {
			return
		}
	}
	c.faults = append(c.faults, fault)
}

func (c *checker) list(list *parse.ListNode, dot shape) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch typedNode := node.(type) {
		case *parse.ActionNode:
			c.pipe(typedNode.Pipe, dot)
		case *parse.IfNode:
			c.branch(&typedNode.BranchNode, dot, func(shape) shape { return dot })
		case *parse.WithNode:
			c.branch(&typedNode.BranchNode, dot, func(condition shape) shape { return condition })
		case *parse.RangeNode:
			c.branch(&typedNode.BranchNode, dot, func(condition shape) shape { return condition.element() })
		case *parse.TemplateNode:
			c.fault(node, errors.New("the operator's templates use no {{ template }}: use an include"))
		}
	}
}

func (c *checker) branch(branch *parse.BranchNode, dot shape, inside func(condition shape) shape) {
	scope := len(c.variables)
	condition := c.commands(branch.Pipe, dot)
	if branch.NodeType == parse.NodeRange {
		c.declareElements(branch.Pipe, condition)
	} else {
		c.declare(branch.Pipe, condition)
	}
	inner := len(c.variables)
	c.list(branch.List, inside(condition))
	c.variables = c.variables[:inner]
	c.list(branch.ElseList, dot)
	c.variables = c.variables[:scope]
}

// declareElements gives the variables of a range their shapes: the last is the element, one before it the key.
func (c *checker) declareElements(pipe *parse.PipeNode, ranged shape) {
	for n, declared := range pipe.Decl {
		of := shape(unknown{})
		if n == len(pipe.Decl)-1 {
			of = ranged.element()
		}
		c.variables = append(c.variables, variable{declared.Ident[0], of})
	}
}

func (c *checker) pipe(pipe *parse.PipeNode, dot shape) shape {
	result := c.commands(pipe, dot)
	c.declare(pipe, result)
	return result
}

func (c *checker) commands(pipe *parse.PipeNode, dot shape) shape {
	var result shape
	for _, command := range pipe.Cmds {
		result = c.command(command, dot, result)
	}
	return result
}

func (c *checker) declare(pipe *parse.PipeNode, result shape) {
	for _, declared := range pipe.Decl {
		if pipe.IsAssign {
			c.assign(declared.Ident[0], result)
		} else {
			c.variables = append(c.variables, variable{declared.Ident[0], result})
		}
	}
}

// assign forgets what is known about a variable that is given something else, since either value may be read later.
func (c *checker) assign(name string, of shape) {
	for n := len(c.variables) - 1; n >= 0; n-- {
		if c.variables[n].name == name {
			if !reflect.DeepEqual(c.variables[n].of, of) {
				c.variables[n].of = unknown{}
			}
			return
		}
	}
}

// command is the shape of one stage of a pipeline; `piped` is nil in the first.
func (c *checker) command(command *parse.CommandNode, dot, piped shape) shape {
	var arguments []shape
	for _, argument := range command.Args[1:] {
		arguments = append(arguments, c.argument(argument, dot))
	}
	if piped != nil {
		arguments = append(arguments, piped)
	}
	if function, isFunction := command.Args[0].(*parse.IdentifierNode); isFunction {
		return c.call(function, arguments)
	}
	return c.argument(command.Args[0], dot)
}

func (c *checker) argument(node parse.Node, dot shape) shape {
	switch typedNode := node.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return c.chain(node, dot, typedNode.Ident)
	case *parse.VariableNode:
		return c.chain(node, c.lookup(typedNode.Ident[0]), typedNode.Ident[1:])
	case *parse.ChainNode:
		return c.chain(node, c.argument(typedNode.Node, dot), typedNode.Field)
	case *parse.PipeNode:
		return c.pipe(typedNode, dot)
	case *parse.IdentifierNode:
		return c.call(typedNode, nil)
	case *parse.StringNode:
		return typed{reflect.TypeFor[string]()}
	case *parse.BoolNode:
		return typed{reflect.TypeFor[bool]()}
	}
	return unknown{} // a number fits what it is used for, or the run says so
}

func (c *checker) chain(node parse.Node, from shape, names []string) shape {
	for _, name := range names {
		next, err := from.field(name)
		if err != nil {
			c.fault(node, err)
			return unknown{}
		}
		from = next
	}
	return from
}

func (c *checker) lookup(name string) shape {
	for n := len(c.variables) - 1; n >= 0; n-- {
		if c.variables[n].name == name {
			return c.variables[n].of
		}
	}
	return unknown{}
}

// passThrough are the functions that give back one of their arguments.
var passThrough = map[string]bool{
	"and": true, "coalesce": true, "default": true, "or": true, "omitNil": true, "ternary": true, "valueOrDefault": true,
}

func (c *checker) call(function *parse.IdentifierNode, arguments []shape) shape {
	if function.Ident == "index" && len(arguments) > 0 {
		of := arguments[0]
		for range arguments[1:] {
			of = of.element()
		}
		return of
	}
	if signature, known := c.functions[function.Ident]; known {
		if err := mismatch(signature, arguments); err != nil {
			c.fault(function, err)
		}
		if !passThrough[function.Ident] {
			return shapeOf(signature.Out(0))
		}
	}
	for _, argument := range arguments {
		if place, isValues := argument.(values); isValues && passThrough[function.Ident] {
			return place
		}
	}
	return unknown{}
}

func mismatch(signature reflect.Type, arguments []shape) error {
	wanted := signature.NumIn()
	if signature.IsVariadic() && len(arguments) >= wanted-1 || len(arguments) == wanted {
		return mistyped(signature, arguments)
	}
	if signature.IsVariadic() {
		return fmt.Errorf("called with %d arguments, wants at least %d", len(arguments), wanted-1)
	}
	return fmt.Errorf("called with %d arguments, wants %d", len(arguments), wanted)
}

func mistyped(signature reflect.Type, arguments []shape) error {
	for n, argument := range arguments {
		wanted := signature.In(min(n, signature.NumIn()-1))
		if signature.IsVariadic() && n >= signature.NumIn()-1 {
			wanted = wanted.Elem()
		}
		if !fits(argument, wanted) {
			return fmt.Errorf("argument %d is %s, wants %s", n+1, argument.(typed).of, wanted)
		}
	}
	return nil
}
