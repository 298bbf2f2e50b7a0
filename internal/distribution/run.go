// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build distribution

// Package main is the part of the distribution's program that is not generated:
// internal/tools/build-distribution puts this file in the place of the builder's
// main_others.go. A program that is built without it captures just the same.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/wirespan/wirespan/internal/distribution/summary"
)

// ownMetrics is where a collector serves its own metrics unless it is configured.
const ownMetrics = "localhost:8888"

// run runs the command line. Configurations pass through a converter, which is where the
// resolved one can be looked at.
func run(params otelcol.CollectorSettings) error {
	c := &configuration{}
	resolver := &params.ConfigProviderSettings.ResolverSettings
	resolver.ConverterFactories = append(resolver.ConverterFactories,
		confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return c }))
	cmd := otelcol.NewCommand(params)
	collect := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c.serves = true
		return collect(cmd, args)
	}
	for _, sub := range cmd.Commands() {
		if sub.Name() == "validate" {
			validate := sub.RunE
			sub.RunE = func(cmd *cobra.Command, args []string) error {
				if err := validate(cmd, args); err != nil {
					return err
				}
				fmt.Print(summary.Of(c.resolved))
				return nil
			}
		}
	}
	return cmd.Execute()
}

// configuration is a converter that changes next to nothing.
type configuration struct {
	resolved *confmap.Conf
	serves   bool // the program is going to run as a collector
}

// Convert implements confmap.Converter. A collector whose default port for its own metrics
// is taken, by another collector as a rule, would not start: it goes without them.
func (c *configuration) Convert(_ context.Context, conf *confmap.Conf) error {
	c.resolved = conf
	const metrics = "service::telemetry::metrics"
	if !c.serves || conf.IsSet(metrics+"::readers") || conf.Get(metrics+"::level") == "none" || !taken(ownMetrics) {
		return nil
	}
	fmt.Fprintf(os.Stderr, "wirespan: %s is taken, so this collector does not serve its own metrics. "+
		"%s::readers chooses another address, %s::level: none goes without this line.\n", ownMetrics, metrics, metrics)
	return conf.Merge(confmap.NewFromStringMap(map[string]any{metrics + "::level": "none"}))
}

func taken(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return errors.Is(err, syscall.EADDRINUSE)
	}
	_ = l.Close()
	return false
}
