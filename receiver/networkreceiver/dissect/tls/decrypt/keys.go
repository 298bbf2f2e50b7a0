// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package decrypt opens TLS records with the secrets of key logs.
package decrypt // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/decrypt"

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
)

// secret is what a line of a key log gives.
type secret uint8

const (
	masterSecret secret = iota // TLS 1.2 and before
	clientEarly
	clientHandshake
	serverHandshake
	clientTraffic
	serverTraffic
	secrets
)

// labels are those of draft-ietf-tls-keylogfile, by name.
var labels = map[string]secret{
	"CLIENT_RANDOM":                   masterSecret,
	"CLIENT_EARLY_TRAFFIC_SECRET":     clientEarly,
	"CLIENT_HANDSHAKE_TRAFFIC_SECRET": clientHandshake,
	"SERVER_HANDSHAKE_TRAFFIC_SECRET": serverHandshake,
	"CLIENT_TRAFFIC_SECRET_0":         clientTraffic,
	"SERVER_TRAFFIC_SECRET_0":         serverTraffic,
}

const (
	maxSessions = 1 << 17 // sessions whose secrets are remembered
	maxLine     = 4 << 10 // of a key log
	maxSecret   = 64      // bytes of a secret
)

// sessionKeys are a session's secrets; those that are not known are nil.
type sessionKeys [secrets][]byte

// Keys are the secrets of sessions, by the client's random. They are safe for
// concurrent use. The zero value is empty.
type Keys struct {
	mutex      sync.RWMutex
	sessions   map[[32]byte]*sessionKeys
	generation atomic.Uint64
}

// Read adds a key log in the format of SSLKEYLOGFILE. Lines that it does not know are
// left out; it fails only where r does, or where nothing is in that format.
func (k *Keys) Read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	all, known := 0, 0
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		all++
		if k.line(string(line)) {
			known++
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read key log: %w", err)
	}
	if all > 0 && known == 0 {
		return fmt.Errorf("read key log: none of %d lines is in the format of SSLKEYLOGFILE", all)
	}
	k.generation.Add(1)
	return nil
}

// line reports whether a line is one of a key log, also one that is of no use.
func (k *Keys) line(line string) bool {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return false
	}
	random, err := hex.DecodeString(fields[1])
	value, valueErr := hex.DecodeString(fields[2])
	if err != nil || valueErr != nil || len(random) != 32 || len(value) == 0 || len(value) > maxSecret {
		return false
	}
	which, ok := labels[fields[0]]
	if !ok {
		return strings.HasPrefix(fields[0], "EXPORTER") || strings.Contains(fields[0], "EXPORTER") || fields[0] == "RSA"
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	session := k.sessions[[32]byte(random)]
	if session == nil {
		if len(k.sessions) >= maxSessions {
			return true
		}
		if k.sessions == nil {
			k.sessions = map[[32]byte]*sessionKeys{}
		}
		session = new(sessionKeys)
		k.sessions[[32]byte(random)] = session
	}
	session[which] = value
	return true
}

// of gives the secrets of a session that are known by now.
func (k *Keys) of(random [32]byte) (keys sessionKeys, ok bool) {
	if k == nil {
		return keys, false
	}
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	session := k.sessions[random]
	if session == nil {
		return keys, false
	}
	return *session, true
}

// Age changes when there are new secrets.
func (k *Keys) Age() uint64 {
	if k == nil {
		return 0
	}
	return k.generation.Load()
}
