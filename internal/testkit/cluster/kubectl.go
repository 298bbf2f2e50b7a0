// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience bounds one call of kubectl.
const patience = 2 * time.Minute

// Kubectl runs kubectl as the administrator, and gives its output.
func (c *Cluster) Kubectl(args ...string) string {
	c.t.Helper()
	out, err := c.TryKubectl("", args...)
	require.NoError(c.t, err, "kubectl %v: %s", args, out)
	return out
}

// TryKubectl is Kubectl for what may fail, with an input.
func (c *Cluster) TryKubectl(input string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.node.kubernetes, append([]string{"kubectl", "--kubeconfig=" + c.Kubeconfig}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+c.Dir) // where it keeps what the server can do
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// Apply applies manifests.
func (c *Cluster) Apply(manifests string) {
	c.t.Helper()
	out, err := c.TryKubectl(manifests, "apply", "--server-side", "--force-conflicts", "-f", "-")
	require.NoError(c.t, err, "%s\n%s", out, manifests)
}

// DryRun lets the API server check manifests, without any effect. It must have
// nothing to warn of. Their namespaces have to exist.
func (c *Cluster) DryRun(t testing.TB, what, manifests string) {
	t.Helper()
	out, err := c.TryKubectl(manifests, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-")
	assert.NoError(t, err, "%s: %s", what, out)
	assert.NotContains(t, out, "Warning:", what)
}
