// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"path"
	"strings"
)

const (
	commLen = 15 // of a name, what the kernel keeps
	// maxFullName and namedArguments bound where more of it is looked for: the program of a
	// script is in the first arguments.
	maxFullName    = 63
	namedArguments = 3
)

// ExecutableName returns the base name of the executable, empty if it is not known.
func (p *Process) ExecutableName() string {
	if p.Executable == "" {
		return ""
	}
	return strings.TrimSuffix(path.Base(p.Executable), " (deleted)")
}

// FullName returns the process's name, whole where the kernel has kept only the beginning
// of it and the executable or, of a script, the command line has the rest.
func (p *Process) FullName() string {
	if len(p.Name) != commLen {
		return p.Name
	}
	if exe := p.ExecutableName(); strings.HasPrefix(exe, p.Name) {
		return exe
	}
	for _, arg := range p.CommandLine[:min(len(p.CommandLine), namedArguments)] {
		name, _, _ := strings.Cut(path.Base(arg), " ") // a title that a program gives itself has more
		if strings.HasPrefix(name, p.Name) && len(name) <= maxFullName {
			return name
		}
	}
	return p.Name
}
