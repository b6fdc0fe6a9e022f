//go:build tools

// Package tools keeps `go mod tidy` from dropping the program that is built from this module.
package tools

import (
	_ "sigs.k8s.io/kwok/cmd/kwok"
)
