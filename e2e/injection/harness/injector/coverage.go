package injector

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

const visitFunction = "harnessVisit"

// Coverage records which branches of templates were gone through.
type Coverage struct {
	origins   map[string]Origins
	unvisited map[string]bool
}

// NewCoverage records the branches of templates whose lines come from these places.
func NewCoverage(origins map[string]Origins) *Coverage {
	return &Coverage{origins: origins, unvisited: map[string]bool{}}
}

// Unvisited lists the branches that were never gone through.
func (c *Coverage) Unvisited() []string {
	places := []string{}
	for _, place := range slices.Sorted(maps.Keys(c.unvisited)) {
		if c.unvisited[place] {
			places = append(places, place)
		}
	}
	return places
}

func (c *Coverage) functions() template.FuncMap {
	visit := func(place string) string {
		c.unvisited[place] = false
		return ""
	}
	return template.FuncMap{visitFunction: visit}
}

// instrument puts a visit at the head of every branch. Templates without known origins (a user's own) are left alone.
func (c *Coverage) instrument(parsed *template.Template, text string) {
	origins, ours := c.origins[parsed.Name()]
	if !ours || !origins.areOf(text) {
		return
	}
	c.list(parsed.Tree, origins, parsed.Root)
}

func (c *Coverage) list(tree *parse.Tree, origins Origins, list *parse.ListNode) {
	for _, node := range list.Nodes {
		switch branch := node.(type) {
		case *parse.IfNode:
			c.branch(tree, origins, "if", &branch.BranchNode)
		case *parse.WithNode:
			c.branch(tree, origins, "with", &branch.BranchNode)
		case *parse.RangeNode:
			c.branch(tree, origins, "range", &branch.BranchNode)
		}
	}
}

func (c *Coverage) branch(tree *parse.Tree, origins Origins, keyword string, branch *parse.BranchNode) {
	condition := branch.Pipe.String()
	place := fmt.Sprintf("%s: {{ %s %s }}", origins.Of(branch.Line), keyword, condition)
	c.list(tree, origins, branch.List)
	c.head(tree, branch.List, place+" holds")
	if keyword == "range" {
		return // over nothing is the rule, and nothing can go wrong there
	}
	if branch.ElseList == nil {
		branch.ElseList = &parse.ListNode{NodeType: parse.NodeList, Pos: branch.Pos}
	}
	c.list(tree, origins, branch.ElseList)
	c.head(tree, branch.ElseList, place+" does not hold")
}

func (c *Coverage) head(tree *parse.Tree, list *parse.ListNode, place string) {
	if _, known := c.unvisited[place]; !known {
		c.unvisited[place] = true
	}
	text := fmt.Sprintf("{{ %s %q }}", visitFunction, place)
	visit := template.Must(template.New(tree.Name).Funcs(c.functions()).Parse(text))
	list.Nodes = append(visit.Root.Nodes, list.Nodes...)
}

// Origins maps the lines of a composed template to `file:line` of its parts.
type Origins struct {
	text  string
	lines []string
}

// NewOrigins keeps the place of each line of the text.
func NewOrigins(text string, lines []string) Origins {
	return Origins{text: text, lines: lines}
}

// areOf tells whether the places belong to this template, and not to another of the same name.
func (o Origins) areOf(text string) bool {
	return strings.TrimSpace(o.text) == strings.TrimSpace(text)
}

// Of is the place of a line of the composed text, which counts from 1.
func (o Origins) Of(line int) string {
	if line < 1 || line > len(o.lines) {
		return fmt.Sprintf("line %d", line)
	}
	return o.lines[line-1]
}
