// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// bulk is the size of the bodies of TestBulk.
const bulk = 256 << 20

// TestBulk transfers large bodies in both directions over one connection. Their
// sizes must be exact, most of their bytes must not have been copied out of the
// kernel, and the calls in between must be whole.
func TestBulk(t *testing.T) {
	testkit.NeedRoot(t)
	s := httptest.NewServer(http.HandlerFunc(serveBulk))
	defer s.Close()
	c := live(t, nil)
	for i, size := range [][2]int64{{0, bulk}, {100, 100}, {bulk, 0}, {1000, 1000}} {
		transfer(t, s.URL, strconv.Itoa(i), size[0], size[1])
	}
	c.AwaitSpans(`/3"`, 2)
	metrics := c.Metrics()
	c.Shutdown()

	copied := metrics["otelcol_receiver_network_captured_bytes"]
	t.Logf("%.0f MB of %d MB were copied", copied/1e6, 4*bulk/1000000)
	assert.Greater(t, copied, float64(4<<20), "what is kept")
	assert.Less(t, copied, float64(4*bulk)/4, "both ends of both bodies")
	groups := c.Calls().BySequence()
	for i, partial := range [][]string{
		{"wirespan.incomplete=true", "wirespan.response.body.truncated=limit"},
		nil,
		{"wirespan.incomplete=true", "wirespan.request.body.truncated=limit"},
		nil,
	} {
		group := groups[strconv.Itoa(i)]
		assert.Len(t, group, 2, i)
		for _, call := range group {
			assert.ElementsMatch(t, partial, incomplete(call), "%d, %v", i, call.Kind)
		}
	}
	for i, size := range map[string]struct {
		name string
		n    int64
	}{"0": {"http.response.body.size", bulk}, "2": {"http.request.body.size", bulk}} {
		for _, call := range groups[i] {
			assert.Equal(t, size.n, call.Attributes[size.name], "%s, %v", i, call.Kind)
		}
	}
}

// transfer makes a call with bodies of these sizes.
func transfer(t *testing.T, url, sequence string, upload, download int64) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/"+sequence, io.LimitReader(zeros{}, upload))
	require.NoError(t, err)
	r.ContentLength = upload
	r.Header.Set(truth.SequenceHeader, sequence)
	r.Header.Set("Download", strconv.FormatInt(download, 10))
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.Equal(t, download, n)
}

func serveBulk(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	n, _ := strconv.ParseInt(r.Header.Get("Download"), 10, 64)
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	_, _ = io.Copy(w, io.LimitReader(zeros{}, n))
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
