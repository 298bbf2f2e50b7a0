// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// credentials are how components know each other.
type credentials struct {
	t            testing.TB
	dir          string
	certificates *testkit.Certificates
	tokens       string // file
}

// users by the names of their kubeconfig files: user and groups.
var users = map[string][2]string{
	"admin":                   {"admin", "system:masters"},
	"kube-controller-manager": {"system:kube-controller-manager", ""},
	"kube-scheduler":          {"system:kube-scheduler", ""},
	"kube-proxy":              {"system:kube-proxy", ""},
	"kubelet":                 {"system:node:" + NodeName, "system:nodes"},
}

func newCredentials(t testing.TB, dir string) *credentials {
	t.Helper()
	c := &credentials{
		t: t, dir: dir, tokens: filepath.Join(dir, "tokens.csv"),
		certificates: testkit.NewCertificates(t, Node, firstService),
	}
	var tokens strings.Builder
	for name, user := range users {
		fmt.Fprintf(&tokens, "token-%s,%s,%s,%q\n", name, user[0], name, user[1])
	}
	require.NoError(t, os.WriteFile(c.tokens, []byte(tokens.String()), 0o600))
	return c
}

// kubeconfig is the path of a user's kubeconfig file.
func (c *credentials) kubeconfig(user string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, user+".kubeconfig")
	text := fmt.Sprintf(kubeconfig, Node, c.certificates.Authority, user)
	require.NoError(c.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: test
clusters: [{name: test, cluster: {server: "https://%s:6443", certificate-authority: %s}}]
users: [{name: test, user: {token: token-%s}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
`
