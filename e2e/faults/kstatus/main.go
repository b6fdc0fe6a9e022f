// Command kstatus tells what Flux, kubectl plugins and other readers of sigs.k8s.io/cli-utils make of objects.
//
// It reads one JSON object a line and answers each with one line: {"status":"Current","message":"..."}. An object that
// the library cannot judge gets {"status":"Error","message":"..."}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// Larger than any object that the API server stores.
const maxLine = 4 << 20

func main() {
	if err := answerAll(); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
}

func answerAll() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		answer, err := judge(lines.Bytes())
		if err != nil {
			return err
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func judge(line []byte) (verdict, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(line); err != nil {
		return verdict{}, fmt.Errorf("not an object: %w", err)
	}
	result, err := status.Compute(object)
	if err != nil {
		return verdict{Status: "Error", Message: err.Error()}, nil
	}
	return verdict{Status: result.Status.String(), Message: result.Message}, nil
}
