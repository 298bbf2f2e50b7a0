// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Values of Config.Format.
const (
	FormatLine   = "line"
	FormatDetail = "detail"
)

// Values of Config.Color.
const (
	ColorAuto   = "auto"
	ColorAlways = "always"
	ColorNever  = "never"
)

// Values of Config.Output.
const (
	OutputStdout = "stdout"
	OutputStderr = "stderr"
)

// Values of Config.Sides.
const (
	SidesMerged = "merged"
	SidesBoth   = "both"
	SidesClient = "client"
	SidesServer = "server"
)

// maxWait bounds Config.WaitDuration: people look at the output while it comes.
const maxWait = time.Minute

// Config is the configuration of the console exporter.
type Config struct {
	// Format is "line" (one line per call) or "detail" (one block per call).
	Format string `mapstructure:"format"`
	// Color is "auto" (only on a terminal, and not if NO_COLOR is set), "always" or
	// "never". The key "colour" is accepted as well.
	Color string `mapstructure:"color"`
	// Output is "stdout" or "stderr".
	Output string `mapstructure:"output"`
	// Sides says how a call is printed that was captured at both ends: "merged" into one
	// entry, or as two ("both"). "client" and "server" print the records of that end only.
	Sides string `mapstructure:"sides"`
	// WaitDuration is how long each entry is held for the other end of its call, and for
	// entries that happened before it. 0 prints at once, without merging or sorting.
	WaitDuration time.Duration `mapstructure:"wait_duration"`
	// Headers prints the headers of both messages in the detailed form.
	Headers bool `mapstructure:"headers"`
	// MaxBody is how many bytes of each body the detailed form prints.
	MaxBody int `mapstructure:"max_body"`

	// QueueConfig is the queue before the terminal.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ component.Config    = (*Config)(nil)
	_ confmap.Unmarshaler = (*Config)(nil)
)

// Unmarshal implements [confmap.Unmarshaler]: "colour" is another spelling of "color".
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	const other = "colour"
	if conf.IsSet(other) {
		if conf.IsSet("color") {
			return errors.New("color and colour are the same setting: give one of them")
		}
		renamed := conf.ToStringMap()
		renamed["color"] = renamed[other]
		delete(renamed, other)
		conf = confmap.NewFromStringMap(renamed)
	}
	return conf.Unmarshal(c)
}

// Validate checks that each choice is one of those offered.
func (c *Config) Validate() error {
	return errors.Join(
		oneOf("format", c.Format, FormatLine, FormatDetail),
		oneOf("color", c.Color, ColorAuto, ColorAlways, ColorNever),
		oneOf("output", c.Output, OutputStdout, OutputStderr),
		oneOf("sides", c.Sides, SidesMerged, SidesBoth, SidesClient, SidesServer),
		within("wait_duration", c.WaitDuration, maxWait),
		notNegative("max_body", c.MaxBody),
	)
}

func oneOf(key, got string, offered ...string) error {
	if slices.Contains(offered, got) {
		return nil
	}
	return fmt.Errorf("%s is %q: want one of %s", key, got, strings.Join(offered, ", "))
}

func within(key string, got, most time.Duration) error {
	if got >= 0 && got <= most {
		return nil
	}
	return fmt.Errorf("%s is %v: want between 0s and %v", key, got, most)
}

func notNegative(key string, got int) error {
	if got >= 0 {
		return nil
	}
	return fmt.Errorf("%s is %d: want 0 or more", key, got)
}
