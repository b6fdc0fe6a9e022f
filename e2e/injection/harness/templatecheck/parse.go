package templatecheck

import (
	"regexp"
	"strconv"
	"strings"
)

var parseError = regexp.MustCompile(`(?s)^template: [^:]*:(\d+)(?::\d+)?: (.*)$`)

// parseFault is the line that the parser complains about. A block without an end it misses only at the end of the text;
// then the line is the one where the block begins.
func parseFault(text string, err error) (line int, message string) {
	match := parseError.FindStringSubmatch(err.Error())
	if match == nil {
		return 0, err.Error()
	}
	line, _ = strconv.Atoi(match[1])
	if open := openBlock(text); open > 0 && strings.Contains(match[2], "unexpected EOF") {
		return open, match[2] + ": this block has no end"
	}
	return line, match[2]
}

var blockWord = regexp.MustCompile(`\{\{-?\s*(if|with|range|end)\b`)

// openBlock is the line of the innermost block that is still open at the end of the text, or 0.
func openBlock(text string) int {
	var open []int
	for _, match := range blockWord.FindAllStringSubmatchIndex(text, -1) {
		if text[match[2]:match[3]] != "end" {
			open = append(open, 1+strings.Count(text[:match[0]], "\n"))
		} else if len(open) > 0 {
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return 0
	}
	return open[len(open)-1]
}
