package podinject

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// annotationChecks are the annotations with a form; a pod that breaks it is refused.
var annotationChecks = map[string]func(string) error{
	"prometheus.istio.io/merge-metrics":                     isBoolean,
	"readiness.status.sidecar.istio.io/failureThreshold":    isUint32,
	"readiness.status.sidecar.istio.io/initialDelaySeconds": isUint32,
	"readiness.status.sidecar.istio.io/periodSeconds":       isUint32,
	"sidecar.istio.io/interceptionMode":                     isInterceptionMode,
	"sidecar.istio.io/proxyCPU":                             isQuantity,
	"sidecar.istio.io/proxyCPULimit":                        isQuantity,
	"sidecar.istio.io/proxyMemory":                          isQuantity,
	"sidecar.istio.io/proxyMemoryLimit":                     isQuantity,
	"status.sidecar.istio.io/port":                          isPort,
	"traffic.sidecar.istio.io/excludeInboundPorts":          isPortList,
	"traffic.sidecar.istio.io/excludeOutboundIPRanges":      isRangeList,
	"traffic.sidecar.istio.io/excludeOutboundPorts":         isPortList,
	"traffic.sidecar.istio.io/includeInboundPorts":          orEverything(isPortList),
	"traffic.sidecar.istio.io/includeOutboundIPRanges":      orEverything(isRangeList),
}

// errorWords name the annotations in messages as istiod does where that is not the annotation's own last word.
var errorWords = map[string]string{
	"traffic.sidecar.istio.io/excludeOutboundIPRanges": "excludeIPRanges",
	"traffic.sidecar.istio.io/includeOutboundIPRanges": "includeIPRanges",
}

func validateAnnotations(annotations map[string]string) error {
	for name, check := range annotationChecks {
		text, present := annotations[name]
		if !present {
			continue
		}
		if err := check(text); err != nil {
			word, known := errorWords[name]
			if !known {
				word = name[strings.LastIndex(name, "/")+1:]
			}
			return fmt.Errorf("%s: annotation %s: %w", word, name, err)
		}
	}
	return nil
}

func isBoolean(text string) error {
	_, err := strconv.ParseBool(text)
	return err
}

func isUint32(text string) error {
	_, err := strconv.ParseUint(text, 10, 32)
	return err
}

func isPort(text string) error {
	_, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	return err
}

func isQuantity(text string) error {
	_, err := resource.ParseQuantity(text)
	return err
}

func isInterceptionMode(text string) error {
	if slices.Contains([]string{"REDIRECT", "TPROXY", "NONE"}, text) {
		return nil
	}
	return fmt.Errorf("%q is neither REDIRECT nor TPROXY nor NONE", text)
}

func isPortList(text string) error { return eachOf(text, isPort) }

func isRangeList(text string) error {
	return eachOf(text, func(entry string) error {
		_, err := netip.ParsePrefix(strings.TrimSpace(entry))
		return err
	})
}

func eachOf(text string, check func(string) error) error {
	if text == "" {
		return nil
	}
	for entry := range strings.SplitSeq(text, ",") {
		if err := check(entry); err != nil {
			return err
		}
	}
	return nil
}

func orEverything(check func(string) error) func(string) error {
	return func(text string) error {
		if text == "*" {
			return nil
		}
		return check(text)
	}
}
