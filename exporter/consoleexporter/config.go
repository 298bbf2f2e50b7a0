// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Values of Config.Format.
const (
	FormatLine   = "line"
	FormatDetail = "detail"
)

// Values of Config.Colour.
const (
	ColourAuto   = "auto"
	ColourAlways = "always"
	ColourNever  = "never"
)

// Values of Config.Output.
const (
	OutputStdout = "stdout"
	OutputStderr = "stderr"
)

// Values of Config.Sides.
const (
	SidesClient = "client"
	SidesServer = "server"
	SidesBoth   = "both"
)

// Config is the configuration of the console exporter.
type Config struct {
	// Format is "line" (one line per call) or "detail" (one block per call).
	Format string `mapstructure:"format"`
	// Colour is "auto" (only on a terminal, and not if NO_COLOR is set),
	// "always" or "never".
	Colour string `mapstructure:"colour"`
	// Output is "stdout" or "stderr".
	Output string `mapstructure:"output"`
	// Sides selects the records of the "client" end, the "server" end or "both".
	Sides string `mapstructure:"sides"`
	// Headers prints the headers of both messages in the detailed form.
	Headers bool `mapstructure:"headers"`
	// MaxBody is how many bytes of each body the detailed form prints.
	MaxBody int `mapstructure:"max_body"`

	// QueueConfig is the queue before the terminal.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// Validate checks that each choice is one of those offered.
func (c *Config) Validate() error {
	return errors.Join(
		oneOf("format", c.Format, FormatLine, FormatDetail),
		oneOf("colour", c.Colour, ColourAuto, ColourAlways, ColourNever),
		oneOf("output", c.Output, OutputStdout, OutputStderr),
		oneOf("sides", c.Sides, SidesClient, SidesServer, SidesBoth),
		notNegative("max_body", c.MaxBody),
	)
}

func oneOf(key, got string, offered ...string) error {
	if slices.Contains(offered, got) {
		return nil
	}
	return fmt.Errorf("%s is %q: want one of %s", key, got, strings.Join(offered, ", "))
}

func notNegative(key string, got int) error {
	if got >= 0 {
		return nil
	}
	return fmt.Errorf("%s is %d: want 0 or more", key, got)
}
