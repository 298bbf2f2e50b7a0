// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package unimplementedfilterextension

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
)

const defaultRetryInterval = 10 * time.Minute

// Config is the configuration of the extension.
type Config struct {
	// RetryInterval is how long requests are dropped before one is sent again,
	// to find out whether the server implements the service by then.
	RetryInterval time.Duration `mapstructure:"retry_interval"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// Validate checks that there is a time between retries.
func (c *Config) Validate() error {
	if c.RetryInterval <= 0 {
		return fmt.Errorf("retry_interval is %s: want more than 0s", c.RetryInterval)
	}
	return nil
}
