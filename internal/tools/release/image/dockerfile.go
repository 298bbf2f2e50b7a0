// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// readDockerfile reads what the last stage of a Dockerfile says of how the image runs.
func readDockerfile(path string) (config v1.Config, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return config, err
	}
	arguments := []string{}
	for line := range strings.Lines(string(text)) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch instruction {
		case "ARG":
			name, value, _ := strings.Cut(rest, "=")
			arguments = append(arguments, "${"+name+"}", value)
		case "USER":
			config.User = strings.NewReplacer(arguments...).Replace(rest)
		case "ENV":
			config.Env = append(config.Env, strings.Fields(rest)...)
		case "ENTRYPOINT":
			err = json.Unmarshal([]byte(rest), &config.Entrypoint)
		case "CMD":
			err = json.Unmarshal([]byte(rest), &config.Cmd)
		}
		if err != nil {
			return config, fmt.Errorf("%s: %w", instruction, err)
		}
	}
	if len(config.Entrypoint) == 0 {
		return config, fmt.Errorf("%s has no ENTRYPOINT", path)
	}
	return config, nil
}
