// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"path"
	"strings"
)

// shortFlags are one-letter options that take a secret, by program. For the
// programs in attached the secret is part of the same argument (mysql -pSECRET).
var (
	shortFlags = map[string]string{
		"curl": "uUE", "sshpass": "p", "redis-cli": "a", "docker": "p", "podman": "p", "mosquitto_pub": "P", "mosquitto_sub": "P",
		"ldapsearch": "w", "mongo": "p", "mongosh": "p", "mongodump": "p", "sqlcmd": "P", "smbclient": "U", "ab": "AP",
		"mysql": "p", "mysqldump": "p", "mysqladmin": "p", "mariadb": "p", "mariadb-dump": "p", "mariadb-admin": "p",
	}
	attached = map[string]bool{
		"mysql": true, "mysqldump": true, "mysqladmin": true, "mariadb": true, "mariadb-dump": true, "mariadb-admin": true,
	}
)

// CommandLine redacts the arguments of a process: options and settings with a
// secret name, one-letter options of known programs, headers, URLs, bodies. It
// returns args itself where there is nothing to redact, and never changes it.
func (r *Redactor) CommandLine(args []string) []string {
	if !r.set.CommandLines || len(args) < 2 {
		return args
	}
	out := args
	set := func(i int, value string) {
		if value == args[i] {
			return
		}
		if &out[0] == &args[0] {
			out = append([]string(nil), args...)
		}
		out[i] = value
	}
	program := path.Base(args[0])
	for i := 1; i < len(args); i++ {
		arg := args[i]
		if value, whole := r.shortFlag(program, arg); whole && i+1 < len(args) {
			i++
			r.applied++
			set(i, Marker)
			continue
		} else if value != arg {
			set(i, value)
			continue
		}
		if r.takesSecret(arg) && i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
			i++
			r.applied++
			set(i, Marker)
			continue
		}
		set(i, r.argument(arg))
	}
	return out
}

// shortFlag looks for -p and its like. whole says that the next argument is the
// secret; else value is arg with the secret removed.
func (r *Redactor) shortFlag(program, arg string) (value string, whole bool) {
	flags := shortFlags[program]
	if len(arg) < 2 || arg[0] != '-' || !strings.Contains(flags, arg[1:2]) {
		return arg, false
	}
	if len(arg) == 2 {
		return arg, !attached[program]
	}
	r.applied++
	return arg[:2] + Marker, false
}

// takesSecret reports whether arg is an option whose value is the next argument.
func (r *Redactor) takesSecret(arg string) bool {
	return len(arg) > 2 && arg[0] == '-' && !strings.ContainsAny(arg, "=: /") && (r.keys.secret(arg) || arg == "--user")
}

// argument redacts one argument by what it looks like.
func (r *Redactor) argument(arg string) string {
	if name, value, ok := strings.Cut(arg, "="); ok && value != "" && !strings.ContainsAny(name, " {&?") && r.keys.secret(name) {
		r.applied++
		return name + "=" + Marker
	}
	if name, value, ok := strings.Cut(arg, ": "); ok && value != "" && r.headers.secret(name) {
		r.applied++
		return name + ": " + Marker
	}
	arg = redactUserinfo(r, arg)
	arg = redactParams(r, r.params, arg, looseText)
	arg = redactParams(r, r.keys, arg, looseText)
	return redactPairs(r, arg, false)
}
