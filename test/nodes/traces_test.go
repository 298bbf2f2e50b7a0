// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package nodes

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/testkit"
)

var update = flag.Bool("update", false, "write the trees of docs/traces.md anew")

// services are programs on this machine with one collector, to which those that have an
// SDK export as well.
type services struct {
	t    *testing.T
	sdk  string // the program with an SDK
	otlp string // where that exports to
}

// start starts a service of a program, which asks next, and gives its URL. A name is for
// the SDK.
func (s *services) start(program, name, next string, env ...string) (string, *testkit.Process) {
	addr := testkit.FreeAddr(s.t)
	run := testkit.Start(s.t, testkit.Program{Path: program, Addr: addr, Env: append(s.env(name, next), append(env, "LISTEN="+addr)...)})
	return "http://" + addr, run
}

// call makes one call.
func (s *services) call(program, name, url string) {
	run := testkit.Start(s.t, testkit.Program{Path: program, Env: s.env(name, url)})
	require.Zero(s.t, run.Wait(testkit.Patience), "%s", run.Output())
}

func (s *services) env(name, next string) []string {
	env := []string{"NEXT=" + next, "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + s.otlp, "OTEL_EXPORTER_OTLP_INSECURE=true"}
	if name != "" {
		env = append(env, "OTEL_SERVICE_NAME="+name)
	}
	return env
}

// buildSDK builds the program that has requirements of its own.
func buildSDK(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "sdk")
	cmd := exec.Command("go", "build", "-o", binary, ".")
	cmd.Dir = testkit.Root("test", "nodes", "sdk")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

// TestAlongsideSDK has services with and without OpenTelemetry's SDK call one another,
// and compares the traces with those in docs/traces.md.
func TestAlongsideSDK(t *testing.T) {
	testkit.NeedRoot(t)
	s := &services{t: t, sdk: buildSDK(t), otlp: testkit.FreeAddr(t)}
	relay := testkit.Build(t, "relay")
	collector := testkit.StartCollector(t, testkit.CollectorConfig{
		Network: testkit.M{}, OTLP: testkit.M{"http": testkit.M{"endpoint": s.otlp}},
	})
	cart, cartRun := s.start(s.sdk, "cart", "")
	stock, _ := s.start(relay, "", "")
	telling, tellingRun := s.start(s.sdk, "stock", "", "TRACERESPONSE=1")
	toTelling, _ := s.start(relay, "", telling+"/sdk-plain-sdk")
	between, betweenRun := s.start(s.sdk, "cart", stock+"/between")
	proxy := testkit.Nginx(t, t.TempDir(), &testkit.Server{Addr: strings.TrimPrefix(cart, "http://")})

	s.call(s.sdk, "shop", cart+"/sdk-sdk")
	s.call(s.sdk, "shop", stock+"/sdk-plain")
	s.call(s.sdk, "shop", proxy.URL()+"/backend/sdk-proxy-sdk")
	s.call(relay, "", cart+"/plain-sdk-silent")
	s.call(relay, "", telling+"/plain-sdk")
	s.call(s.sdk, "shop", toTelling+"/sdk-plain-sdk")
	s.call(s.sdk, "shop", between+"/sdk-sdk-plain")
	for _, run := range []*testkit.Process{cartRun, tellingRun, betweenRun} { // which export now
		run.Signal(syscall.SIGTERM)
		require.Zero(t, run.Wait(testkit.Patience), "%s", run.Output())
	}
	collector.Shutdown()

	calls := collector.Calls().Where(func(c testkit.Call) bool { return !strings.HasPrefix(c.URI, "/v1/") })
	checkNoOrphans(t, calls)
	page := testkit.Root("docs", "traces.md")
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	written := string(text)
	for _, path := range []string{
		"/sdk-sdk", "/sdk-plain", "/backend/sdk-proxy-sdk", "/plain-sdk-silent", "/plain-sdk", "/sdk-plain-sdk", "/sdk-sdk-plain",
	} {
		name := path[strings.LastIndexByte(path, '/')+1:]
		block := regexp.MustCompile("(?s)(<!-- tree " + name + " -->\n```text\n)(.*?)(```\n)")
		m := block.FindStringSubmatch(written)
		require.NotNil(t, m, "docs/traces.md has no tree %s", name)
		got := tree(calls, path)
		if *update {
			written = block.ReplaceAllString(written, "${1}"+got+"${3}")
			continue
		}
		assert.Equal(t, m[2], got, "%s: look whether it is right, and run the test with -update", name)
	}
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(written), 0o644))
	}
}

// tree draws the traces of the call of a path: who it is, which side, what, and who
// tells it.
func tree(calls testkit.Calls, path string) string {
	traces := map[pcommon.TraceID]bool{}
	for _, c := range calls {
		if c.URI == path || c.URI == "http://"+path {
			traces[c.TraceID] = true
		}
	}
	sorted := slices.Clone(calls)
	slices.SortFunc(sorted, func(a, b testkit.Call) int { return a.Start.Compare(b.Start) })
	var out strings.Builder
	var drawn []pcommon.TraceID
	for _, c := range sorted {
		if traces[c.TraceID] && !slices.Contains(drawn, c.TraceID) {
			drawn = append(drawn, c.TraceID)
			fmt.Fprintf(&out, "trace %d\n", len(drawn))
			draw(&out, sorted, c.TraceID, pcommon.SpanID{}, 1)
		}
	}
	return out.String()
}

func draw(out *strings.Builder, calls testkit.Calls, trace pcommon.TraceID, parent pcommon.SpanID, depth int) {
	for _, c := range calls {
		if c.TraceID != trace || c.ParentID != parent {
			continue
		}
		teller := "SDK"
		if c.Resource["telemetry.distro.name"] == "wirespan" {
			teller = "Wirespan"
		}
		link := ""
		for _, l := range c.Links {
			for _, to := range calls {
				if to.SpanID == l.SpanID && to.TraceID == l.TraceID {
					link = fmt.Sprintf(", linked to the %v span of %v", strings.ToUpper(to.Kind.String()), to.Resource["service.name"])
				}
			}
		}
		fmt.Fprintf(out, "%s%v  %s  %s  (%s%s)\n", strings.Repeat("    ", depth), cmp.Or(c.Resource["service.name"], any("?")),
			strings.ToUpper(c.Kind.String()), c.Name, teller, link)
		draw(out, calls, trace, c.SpanID, depth+1)
	}
}
