// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const page = "# Title\n\nRun `make run` or `make`.\n\n```sh\n# comment\nmake run     # what it does\ncurl -d 'a # b' \\\n  http://localhost\n```\n\n" +
	"```console\n$ make\noutput\n```\n\n  ```yaml\n  a: `b`\n  ```\n"

func TestFind(t *testing.T) {
	found := Find("page.md", page)
	require.Len(t, found, 5)
	assert.Equal(t, Code{Page: "page.md", Line: 3, Text: "make run"}, found[0])
	assert.Equal(t, "make", found[1].Text)
	assert.Equal(t, "page.md:5", found[2].String())
	assert.Equal(t, "sh", found[2].Language)
	assert.Equal(t, Code{Page: "page.md", Line: 17, Language: "yaml", Fenced: true, Text: "  a: `b`\n"}, found[4])
}

func TestCommands(t *testing.T) {
	found := Find("page.md", page)
	assert.Equal(t, []string{"make run"}, found[0].Commands())
	assert.Equal(t, []string{"make run", "curl -d 'a # b'    http://localhost"}, found[2].Commands())
	assert.Equal(t, []string{"make"}, found[3].Commands())
	assert.Equal(t, []string{"cat <<EOF\n# text\nEOF"}, Code{Fenced: true, Language: "sh", Text: "cat <<EOF\n# text\nEOF\n"}.Commands())
}
