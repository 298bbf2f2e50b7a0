// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFullName(t *testing.T) {
	tests := map[string]struct {
		process Process
		want    string
	}{
		"short":                  {Process{Name: "nginx", Executable: "/usr/sbin/nginx-debug"}, "nginx"},
		"executable":             {Process{Name: "kube-controller", Executable: "/usr/bin/kube-controller-manager"}, "kube-controller-manager"},
		"deleted executable":     {Process{Name: "kube-controller", Executable: "/usr/bin/kube-controller-manager (deleted)"}, "kube-controller-manager"},
		"exactly as long":        {Process{Name: "fifteen-letters", Executable: "/bin/fifteen-letters"}, "fifteen-letters"},
		"script":                 {Process{Name: "inventory-servi", Executable: "/usr/bin/python3.11", CommandLine: []string{"python3", "-u", "/srv/inventory-service.py", "--token=x"}}, "inventory-service.py"},
		"title of its own":       {Process{Name: "payments: worke", Executable: "/usr/bin/python3.11", CommandLine: []string{"payments: worker 3 --password=x"}}, "payments: worke"},
		"thread's name":          {Process{Name: "fifteen-letters", Executable: "/usr/bin/java", CommandLine: []string{"java", "-jar", "/app.jar"}}, "fifteen-letters"},
		"argument further along": {Process{Name: "inventory-servi", Executable: "/usr/bin/perl", CommandLine: []string{"perl", "-a", "-b", "inventory-service.pl"}}, "inventory-servi"},
		"name without an end":    {Process{Name: "inventory-servi", Executable: "/usr/bin/perl", CommandLine: []string{"inventory-servi" + strings.Repeat("x", 99)}}, "inventory-servi"},
		"nothing known":          {Process{}, ""},
	}
	for name, tt := range tests {
		assert.Equal(t, tt.want, tt.process.FullName(), name)
	}
}
