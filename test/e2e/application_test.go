// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// TestServerSentEvents wants each event exported while its response is still on its way.
func TestServerSentEvents(t *testing.T) {
	testkit.NeedRoot(t)
	next := make(chan string)
	stream := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range next {
			fmt.Fprint(w, event)
			w.(http.Flusher).Flush()
			if strings.HasPrefix(event, "event: end\n") {
				return
			}
		}
	}))
	stream.Config.Protocols = new(http.Protocols)
	stream.Config.Protocols.SetHTTP1(true)
	stream.Config.Protocols.SetUnencryptedHTTP2(true)
	stream.Start()
	defer stream.Close()
	defer close(next)
	c := live(t, nil)

	told := 0
	for version, protocols := range map[string]func(*http.Protocols, bool){"1.1": (*http.Protocols).SetHTTP1, "2": (*http.Protocols).SetUnencryptedHTTP2} {
		transport := &http.Transport{Protocols: new(http.Protocols)}
		protocols(transport.Protocols, true)
		streamed := make(chan string)
		go func() {
			defer close(streamed)
			response, err := (&http.Client{Transport: transport}).Get(stream.URL + "/http" + version)
			if err == nil {
				body, _ := io.ReadAll(response.Body)
				streamed <- string(body)
			}
		}()
		for _, event := range []string{"data: one\n\n", ": ping\n\ndata: {\"password\":\"hunter2\",\ndata: \"n\":2}\n\n", "event: end\ndata: three\n\n"} {
			next <- event
			told += 2 // at both ends
			testkit.Eventually(t, "the event", func() bool { return countEvents(c) == told })
		}
		require.Contains(t, <-streamed, "three", "HTTP/%s", version)
		transport.CloseIdleConnections()
	}
	c.Shutdown()
	for _, version := range []string{"1.1", "2"} {
		calls := c.Calls().Where(func(call testkit.Call) bool { return call.URI == "/http"+version })
		require.Len(t, calls, 2, "HTTP/%s", version)
		for _, call := range calls {
			t.Run(fmt.Sprint("HTTP/", version, " ", call.Kind), func(t *testing.T) { checkEvents(t, call) })
		}
	}
}

// countEvents counts the events of streams that were exported so far.
func countEvents(c *testkit.Collector) (n int) {
	for _, e := range c.Events() {
		if e.Name == "wirespan.sse.event" {
			n++
		}
	}
	return n
}

func checkEvents(t *testing.T, call testkit.Call) {
	t.Helper()
	assert.EqualValues(t, 3, call.Attributes["wirespan.sse.events"])
	var data []string
	for _, e := range call.Events {
		data = append(data, string(e.Body))
		assert.False(t, e.Time.Before(call.Start) || e.Time.After(call.End), "an event lies within its call")
	}
	assert.Equal(t, []string{"one", "{\"password\":\"REDACTED\",\n\"n\":2}", "three"}, data)
	assert.Equal(t, "end", call.Events[len(call.Events)-1].Attributes["wirespan.sse.event.type"])
}

// TestGraphQL calls a GraphQL server. What it answers with status 200 may be an error.
func TestGraphQL(t *testing.T) {
	testkit.NeedRoot(t)
	addr := testkit.FreeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	program := testkit.Root("internal", "testkit", "programs", "graphqlserver.py")
	testkit.Start(t, testkit.Program{Path: testkit.NeedProgram(t, "/usr/bin/python3"), Args: []string{"-B", program, port}, Addr: addr})
	c := live(t, nil)
	for _, body := range []string{
		`{"query":"query Who($id: ID!) { user(id: $id) { name } }","variables":{"id":"7"}}`,
		`{"query":"mutation { rename(id: 1, name: \"eve\", password: \"hunter2\") { name } }"}`,
		`{"query":"query Bad { broken }"}`,
	} {
		response, err := http.Post("http://"+addr+"/api", "application/json", strings.NewReader(body))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	http.DefaultClient.CloseIdleConnections()
	c.Shutdown()
	for _, kind := range []end{{kind: client}, {kind: server}} {
		calls := c.Calls().Of(kind.kind).Where(func(call testkit.Call) bool { return call.URI == "/api" })
		require.Len(t, calls, 3)
		byName := map[string]testkit.M{}
		for _, call := range calls {
			byName[call.Name] = call.Attributes
		}
		who, mutation, bad := byName["query Who"], byName["mutation"], byName["query Bad"]
		assert.Equal(t, "query", who["graphql.operation.type"])
		assert.Equal(t, `{"id":"7"}`, who["wirespan.graphql.variables"])
		assert.Contains(t, mutation["graphql.document"], "eve")
		assert.NotContains(t, mutation["graphql.document"], "hunter2", "literals of secret arguments are redacted")
		assert.EqualValues(t, 1, bad["wirespan.graphql.errors"])
		assert.Equal(t, "_OTHER", bad["error.type"], "the error has no code")
	}
}
