//go:build tools

// Package tools keeps `go mod tidy` from dropping the programs that are built from this module.
package tools

import (
	_ "github.com/prometheus/prometheus/cmd/prometheus"
	_ "github.com/prometheus/prometheus/cmd/promtool"
)
