package runner

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"istio-operator.dev/e2e/injection/harness/objects"
	"istio-operator.dev/e2e/injection/harness/protocol"
)

const (
	bootstrapContainer = "grpc-bootstrap-init"
	// scriptPlaceholder stands for any script that writes the right file.
	scriptPlaceholder = "@@BOOTSTRAP_SCRIPT@@"
)

// checkBootstrap runs the script of the init container and compares what it writes. The script is then replaced by the
// placeholder that stands in the expected object.
func checkBootstrap(want protocol.Bootstrap, actual []objects.Object) error {
	for _, object := range actual {
		var workload struct {
			Spec struct {
				Template corev1.PodTemplateSpec `json:"template"`
			} `json:"spec"`
		}
		if err := objects.Into(object, &workload); err != nil {
			return err
		}
		spec := workload.Spec.Template.Spec
		for n, container := range spec.InitContainers {
			if container.Name != bootstrapContainer {
				continue
			}
			if err := runBootstrap(want, container); err != nil {
				return err
			}
			hideScript(object, n)
			return nil
		}
	}
	return fmt.Errorf("there is no container %s", bootstrapContainer)
}

func runBootstrap(want protocol.Bootstrap, container corev1.Container) error {
	folder, err := os.MkdirTemp("", "grpc-bootstrap-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if len(container.Command) != 3 {
		return fmt.Errorf("%s: command is not a shell with a script", bootstrapContainer)
	}
	script := strings.ReplaceAll(container.Command[2], filepath.Dir(want.File), folder)
	command := exec.Command(container.Command[0], container.Command[1], script)
	for _, variable := range container.Env {
		value := variable.Value
		if given, known := want.Env[variable.Name]; known {
			value = given
		}
		command.Env = append(command.Env, variable.Name+"="+value)
	}
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", bootstrapContainer, err, output)
	}
	text, err := os.ReadFile(filepath.Join(folder, filepath.Base(want.File)))
	if err != nil {
		return fmt.Errorf("%s: %w", bootstrapContainer, err)
	}
	return sameJSON(text, want.JSON)
}

func sameJSON(got, want []byte) error {
	var gotValue, wantValue any
	if err := json.Unmarshal(got, &gotValue); err != nil {
		return fmt.Errorf("%s: %w: %s", bootstrapContainer, err, got)
	}
	if err := json.Unmarshal(want, &wantValue); err != nil {
		return err
	}
	if !reflect.DeepEqual(gotValue, wantValue) {
		return fmt.Errorf("%s: wrote %s, want %s", bootstrapContainer, got, want)
	}
	return nil
}

func hideScript(object objects.Object, n int) {
	spec, _ := object["spec"].(objects.Object)
	template, _ := spec["template"].(objects.Object)
	podSpec, _ := template["spec"].(objects.Object)
	containers, _ := podSpec["initContainers"].([]any)
	container, _ := containers[n].(objects.Object)
	command, _ := container["command"].([]any)
	command[2] = scriptPlaceholder
}
