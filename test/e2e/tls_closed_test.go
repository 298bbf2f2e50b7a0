// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build tlssoftware

package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/tlspeer"
)

// TestTLSSoftwareThatIsClosed is for programs in which nothing tells where the functions
// of their library are: that is said.
func TestTLSSoftwareThatIsClosed(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	peers := tlspeer.New(t, 1000)
	peers.Cert, peers.Key = certificates.Certificate, certificates.Key
	server := startTLS(t, peers.Servers()[0])
	c := live(t, nil)
	for _, name := range []string{"bun", "deno"} {
		path := software(t, name)
		var command *exec.Cmd
		if name == "bun" {
			command = exec.Command(path, "-e", `await (await fetch(process.argv.at(-1), {tls: {rejectUnauthorized: false}})).text(); setTimeout(() => {}, 3000)`, "https://"+server.at)
		} else {
			command = exec.Command(path, "eval", "--unsafely-ignore-certificate-errors", `await (await fetch("https://`+server.at+`/")).text(); setTimeout(() => {}, 3000)`)
		}
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
		testkit.Eventually(t, name, func() bool {
			for line := range strings.Lines(c.Output()) {
				if strings.Contains(line, "encrypted connections of a program") && strings.Contains(line, path) {
					return strings.Contains(line, "stripped")
				}
			}
			return false
		})
	}
}
