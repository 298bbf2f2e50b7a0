// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command compose checks files of Docker Compose: that Compose's own library takes
// them, and that they do what a demonstration may. It prints what is wrong.
package main

import (
	"context"
	"fmt"
	"os"
	"regexp"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// pinned is an image with a whole version.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+\.\d+$`)

func main() {
	wrong := 0
	for _, path := range os.Args[1:] {
		for _, problem := range check(path) {
			fmt.Printf("%s: %s\n", path, problem)
			wrong++
		}
	}
	if wrong > 0 {
		os.Exit(1)
	}
}

func check(path string) (problems []string) {
	options, err := cli.NewProjectOptions([]string{path}, cli.WithConsistency(true), cli.WithResolvedPaths(true))
	if err != nil {
		return []string{err.Error()}
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return []string{err.Error()}
	}
	for name, service := range project.Services {
		for _, problem := range checkService(service) {
			problems = append(problems, name+": "+problem)
		}
	}
	return problems
}

func checkService(s types.ServiceConfig) (problems []string) {
	if s.Build == nil && !pinned.MatchString(s.Image) {
		problems = append(problems, fmt.Sprintf("image %q has no version", s.Image))
	}
	if s.Build != nil {
		if _, err := os.Stat(s.Build.Context + "/" + s.Build.Dockerfile); err != nil {
			problems = append(problems, err.Error())
		}
	}
	if s.Privileged {
		problems = append(problems, "is privileged")
	}
	for _, port := range s.Ports {
		if port.HostIP != "127.0.0.1" {
			problems = append(problems, fmt.Sprintf("port %d is open to other machines", port.Target))
		}
	}
	for _, v := range s.Volumes {
		if _, err := os.Stat(v.Source); v.Type == types.VolumeTypeBind && err != nil {
			problems = append(problems, err.Error())
		}
		if !v.ReadOnly {
			problems = append(problems, v.Target+" is writable")
		}
	}
	return problems
}
