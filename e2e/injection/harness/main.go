// Command harness proves injection templates outside a cluster. `harness run` injects cases and compares the results
// with what is expected; `harness check` checks templates without running them. Both read one JSON request from
// standard input; the types are in package protocol.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"istio-operator.dev/e2e/injection/harness/protocol"
	"istio-operator.dev/e2e/injection/harness/runner"
	"istio-operator.dev/e2e/injection/harness/templatecheck"
)

func main() {
	if err := serve(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		os.Exit(1)
	}
}

func serve(arguments []string, in io.Reader, out io.Writer) error {
	if len(arguments) != 1 {
		return fmt.Errorf("usage: harness run|check < request.json")
	}
	answers := json.NewEncoder(out)
	switch arguments[0] {
	case "run":
		var request protocol.RunRequest
		if err := json.NewDecoder(in).Decode(&request); err != nil {
			return err
		}
		summary, err := runner.Run(request, func(result protocol.CaseResult) error { return answers.Encode(result) })
		if err != nil {
			return err
		}
		return answers.Encode(summary)
	case "check":
		var request protocol.CheckRequest
		if err := json.NewDecoder(in).Decode(&request); err != nil {
			return err
		}
		return answers.Encode(protocol.CheckAnswer{Faults: templatecheck.Check(request)})
	}
	return fmt.Errorf("unknown command %q: use run or check", arguments[0])
}
