package injector

import (
	"strings"
	"testing"
	"text/template"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// data is what the expressions below see.
var data = map[string]any{
	"meta":       metav1.ObjectMeta{Annotations: map[string]string{"set": "here", "empty": ""}},
	"map":        map[string]string{"a": "1", "b": "2"},
	"tree":       map[string]any{"a": nil, "b": map[string]any{"c": nil}, "d": []any{nil}, "e": 0.0},
	"containers": []corev1.Container{{Name: ProxyContainer, Ports: []corev1.ContainerPort{{ContainerPort: 1}}}, {Ports: []corev1.ContainerPort{{ContainerPort: 2}, {ContainerPort: 3, Protocol: "UDP"}}}},
	"duration":   durationpb.New(45 * time.Second),
}

// TestFunctions shows what istiod's own functions give, above all where sprig's of the same name give something else.
func TestFunctions(t *testing.T) {
	for expression, want := range map[string]string{
		`annotation .meta "set" "x"`:           "here",
		`annotation .meta "empty" "x"`:         "",
		`annotation .meta "absent" 15020`:      "15020",
		`annotation .meta "absent" .nothing`:   "<nil>",
		`isset .map "a"`:                       "true",
		`isset .map "z"`:                       "false",
		`valueOrDefault 0 7`:                   "0",
		`valueOrDefault false true`:            "false",
		`valueOrDefault "" 7`:                  "7",
		`valueOrDefault .nothing 7`:            "7",
		`excludeInboundPort "15020" "80, 81"`:  "80,81,15020",
		`excludeInboundPort "80" "80, 81"`:     "80, 81",
		`excludeInboundPort 0 "80, 81"`:        "80, 81",
		`excludeInboundPort "" ""`:             "",
		`excludeInboundPort 15020 ""`:          "15020",
		`includeInboundPorts .containers`:      "1,2",
		`applicationPorts .containers`:         "2",
		`appendMultusNetwork "" "ns/n"`:        "ns/n",
		`appendMultusNetwork "a" "ns/n"`:       "a, ns/n",
		`appendMultusNetwork "a, ns/n" "ns/n"`: "a, ns/n",
		`appendMultusNetwork "[]" "ns/n"`:      `[{"name": "n", "namespace": "ns"}]`,
		`appendMultusNetwork "[{}]" "ns/n"`:    `[{}, {"name": "n", "namespace": "ns"}]`,
		`appendMultusNetwork "[{" "ns/n"`:      "[{",
		`formatDuration .duration`:             "45s",
		`toJSON .map`:                          `{"a":"1","b":"2"}`,
		`fromJSON "no"`:                        "{}",
		`(fromJSON "[1]") | len`:               "1",
		`structToJSON .nothing`:                "{}",
		`toYaml .map`:                          "a: \"1\"\nb: \"2\"\n",
		`indent 2 "a\nb"`:                      "a\n  b",
		`toJsonMap .map (strdict "b" "3")`:     `{"a":"1","b":"3"}`,
		`strdict "a" "1" "b" | toJSON`:         `{"a":"1","b":""}`,
		`omit .map "a" | toJSON`:               `{"b":"2"}`,
		`omitNil .tree | toJson`:               `{"e":0}`,
		`contains "a" "banana"`:                "true",
		`directory "/a/b/c.pem"`:               "/a/b/",
		`env "HOME" "none"`:                    "none",
	} {
		var got strings.Builder
		parsed, err := template.New("").Funcs(Functions()).Parse("{{ " + expression + " }}")
		if err == nil {
			err = parsed.Execute(&got, data)
		}
		if err != nil || got.String() != want {
			t.Errorf("%s: got %q (%v), want %q", expression, got.String(), err, want)
		}
	}
}
