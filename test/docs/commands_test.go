// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/markdown"
)

// command matches what a shell would run: variables, and one of the programs that
// pages tell their readers to run.
var command = regexp.MustCompile(`^(sudo |[A-Z_]+=\S+ )*(make|helm|kubectl|docker|go|curl|(bin/)?wirespan|apt|apt-get|dpkg|rpm|dnf|ctr|systemctl|journalctl|mount|setcap|git|python3|tar|sha256sum|npm|openssl) +\S`)

// way is how commands of one kind are tried.
type way struct {
	kind *regexp.Regexp
	try  func(t *testing.T, code markdown.Code, line string)
	less string // why they aren't run as they stand; empty where they are
}

func of(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// ways are looked through in order.
var ways = []way{
	{of(`^make run\b`), firstCall, ""},
	{of(`^curl .*localhost:8080`), ask, ""},
	{of(`^make replay$`), replayExample, ""},
	{of(`^(make replay\b|WIRESPAN_PCAP=\S+ bin/wirespan )`), replay, ""},
	{of(`^make [a-z]`), dryRun, "takes minutes, changes files or runs this very test: Make says what it would do"},
	{of(`^helm (install|upgrade) .*deploy/helm/wirespan`), install, "no cluster: rendered, and its configurations validated; test/k8s runs it"},
	{of(`^helm `), unfinished, "names a command of Helm and leaves out the rest: files in it are there"},
	{of(`^kubectl `), kubectl, "no cluster: its files and objects are there; test/k8s runs those that change the cluster"},
	{of(`^docker build `), dockerBuild, "no daemon: what the Dockerfile copies is there"},
	{of(`^docker compose -f \S+ up`), unfinished, "no daemon: test/deploy checks the file by Compose's own library"},
	{of(`^docker load `), released, "no daemon: containerd takes the same file in test/release"},
	{of(`^sudo (apt install|systemctl|ctr images import) `), released, "changes the machine: test/release installs, imports and runs the same files elsewhere"},
	{of(`^go test\b`), goTest, "would write golden files or measure for minutes: the tests that it names are there"},
	{of(`^go list$`), unfinished, "names a command"},
	{of(`^setcap `), setcap, ""},
	{of(`^wirespan validate --config …$`), validateAll, "the file is the reader's: run on each of the distribution's"},
	{of(`^mount -t cgroup2 none <dir>$`), unfinished, "the folder is the reader's"},
}

// Each command of each page is known to do what the page says.
func TestCommands(t *testing.T) {
	tried := map[string]bool{}
	for _, code := range pages(t) {
		for _, line := range lines(code) {
			i := 0
			for i < len(ways) && !ways[i].kind.MatchString(line) {
				i++
			}
			if !assert.Less(t, i, len(ways), "%s: no test knows the command %s", code, line) {
				continue
			}
			what := line
			if strings.HasPrefix(line, "go ") || strings.Contains(line, "presets/") { // relative to the page
				what = filepath.Dir(code.Page) + " " + line
			}
			if tried[what] {
				continue
			}
			tried[what] = true
			t.Run(code.String()+" "+line, func(t *testing.T) {
				if ways[i].less != "" {
					t.Logf("not run as it stands: %s", ways[i].less)
				}
				ways[i].try(t, code, line)
			})
		}
	}
	assert.Greater(t, len(tried), 20)
}

// lines returns the commands in a page's code: all of a block for a shell, and spans
// in the text that begin with a program.
func lines(code markdown.Code) []string {
	switch {
	case code.Language == "sh" || code.Language == "console":
		return code.Commands()
	case !code.Fenced && command.MatchString(code.Text):
		return code.Commands()
	}
	return nil
}

func dryRun(t *testing.T, _ markdown.Code, line string) {
	line = regexp.MustCompile(`<(\w+)>`).ReplaceAllString(line, "$1") // what the reader fills in
	run(t, "bash", "-euc", strings.Replace(line, "make ", "make --dry-run --no-print-directory ", 1))
}

func install(t *testing.T, _ markdown.Code, line string) {
	if strings.Contains(line, "…") {
		return
	}
	renders(t, line)
}

// unfinished commands have files in them at most.
func unfinished(t *testing.T, code markdown.Code, line string) {
	if strings.Contains(line, " logs ") { // where -f is for following
		return
	}
	for _, m := range regexp.MustCompile(`(?:-f|--values)[ =](\S+)`).FindAllStringSubmatch(line, -1) {
		assert.True(t, exists(testkit.Root(m[1])) || exists(testkit.Root(filepath.Dir(code.Page), m[1])), m[1])
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// kubectl looks for what a command names: files, and objects that the chart makes.
func kubectl(t *testing.T, code markdown.Code, line string) {
	unfinished(t, code, line)
	for _, m := range regexp.MustCompile(` -k (\S+)`).FindAllStringSubmatch(line, -1) {
		assert.FileExists(t, testkit.Root(m[1], "kustomization.yaml"))
	}
	made := map[string]bool{}
	for _, object := range objects(t, helm(t, "template", "wirespan", "deploy/helm/wirespan", "--namespace=wirespan", kubeVersion)) {
		metadata, _ := object["metadata"].(testkit.M)
		kind, _ := object["kind"].(string)
		name, _ := metadata["name"].(string)
		made[strings.ToLower(kind)+"/"+name] = true
	}
	for _, m := range regexp.MustCompile(`\b(daemonset|deployment|serviceaccount)(?:/|:wirespan:)(\S+)`).FindAllStringSubmatch(line, -1) {
		assert.True(t, made[m[1]+"/"+m[2]], "%s/%s", m[1], m[2])
	}
	if strings.Contains(line, "wirespan") && strings.Contains(line, "label namespace") {
		key := strings.Fields(line)[4]
		text := run(t, "cat", "deploy/kubernetes/namespace/namespace.yaml")
		assert.Contains(t, text, strings.Replace(key, "=", ": ", 1))
	}
}

// validateAll checks the configurations that come with the program.
func validateAll(t *testing.T, _ markdown.Code, _ string) {
	files, err := filepath.Glob(testkit.Root("distributions", "wirespan", "config*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		validate(t, full(t), nil, nil, file)
	}
}

// setcap gives a file the capabilities.
func setcap(t *testing.T, _ markdown.Code, line string) {
	testkit.NeedRoot(t)
	program := write(t, "wirespan", "")
	run(t, testkit.NeedProgram(t, "setcap"), strings.Fields(line)[1], program)
	wanted, _, _ := strings.Cut(strings.Fields(line)[1], "+")
	for capability := range strings.SplitSeq(wanted, ",") {
		assert.Contains(t, run(t, testkit.NeedProgram(t, "getcap"), program), capability)
	}
}

func dockerBuild(t *testing.T, _ markdown.Code, line string) {
	m := regexp.MustCompile(`-f (\S+)`).FindStringSubmatch(line)
	require.NotNil(t, m, line)
	full(t)
	sent := regexp.MustCompile(`(?m)^!(\S+)$`).FindAllStringSubmatch(run(t, "cat", ".dockerignore"), -1)
	copied := 0
	for _, c := range regexp.MustCompile(`(?m)^COPY ([^-].*) \S+$`).FindAllStringSubmatch(strings.ReplaceAll(run(t, "cat", m[1]), "\\\n", ""), -1) {
		for file := range strings.FieldsSeq(c[1]) {
			assert.True(t, file == "bin/wirespan" || exists(testkit.Root(file)), file)
			assert.True(t, slices.ContainsFunc(sent, func(pattern []string) bool {
				matches, _ := filepath.Match(pattern[1], file)
				return matches
			}), "%s is in .dockerignore", file)
			copied++
		}
	}
	assert.Positive(t, copied)
}

// released looks for what a command names among what a release has: files by their
// version, and the unit.
func released(t *testing.T, _ markdown.Code, line string) {
	names := regexp.MustCompile(`wirespan_[\w.]+`).FindAllString(line, -1)
	for _, name := range names {
		version := regexp.MustCompile(`(?m)^  version: (\S+)$`).FindStringSubmatch(run(t, "cat", "builder-config.yaml"))
		assert.Regexp(t, `^wirespan_`+regexp.QuoteMeta(version[1])+`_(linux_(amd64|arm64)\.(tar\.gz|deb|rpm)|image\.tar)$`, name)
	}
	if len(names) == 0 {
		assert.Regexp(t, `systemctl .*\bwirespan$`, line)
		assert.FileExists(t, testkit.Root("distributions", "wirespan", "wirespan.service"))
	}
}

// goTest looks for the tests in the page's folder, or in the one that is named.
func goTest(t *testing.T, code markdown.Code, line string) {
	if line == "go test" {
		return
	}
	folder := filepath.Dir(code.Page)
	if m := regexp.MustCompile(` (\./\S*)`).FindStringSubmatch(line); m != nil {
		folder = filepath.Join(folder, m[1])
	}
	name := "Benchmark"
	if m := regexp.MustCompile(`-run (\w+)`).FindStringSubmatch(line); m != nil {
		name = m[1]
	}
	out, err := exec.Command("grep", "-rlE", "--include=*_test.go", "^func "+name, testkit.Root(folder)).CombinedOutput()
	assert.NoError(t, err, "%s: no function %s in %s: %s", code, name, folder, out)
}
