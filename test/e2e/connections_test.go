// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestOpenedBefore goes on over connections that are older than the collector,
// with processes that started none while it was there.
func TestOpenedBefore(t *testing.T) {
	testkit.NeedRoot(t)
	servers := map[string]*testkit.Server{
		"go": testkit.GoServer(t, testkit.Place{}), "node": testkit.Node(t), "python": testkit.PythonHTTP(t),
	}
	clients := map[string]*testkit.Client{}
	for name, s := range servers {
		clients[name] = testkit.StepClient(t, testkit.Load{
			URL: s.URL(), Name: name, Method: "POST", Path: "/echo", Size: 5000, Requests: 12, Connections: 4,
		})
		clients[name].Step()
	}
	c := live(t, nil)
	during := map[string][]truth.Call{}
	for name := range servers {
		during[name] = clients[name].Step()
	}
	c.Shutdown()

	got := c.Calls()
	for name, s := range servers {
		t.Run(name, func(t *testing.T) {
			checkCalls(t, got, between(t, during[name], s))
			assert.Empty(t, got.BySequence()[name+"-1"], "a call from before")
		})
	}
}

// TestLargeBodies sends 10 MB there and back.
func TestLargeBodies(t *testing.T) {
	testkit.NeedRoot(t)
	const size = 10_000_000
	goServer, gunicorn, node := testkit.GoServer(t, testkit.Place{}), testkit.Gunicorn(t, 4), testkit.Node(t)
	// Each body comes four times (there and back, at both ends), at the speed of the
	// loopback device; the ring holds a whole call, however busy the machine is.
	c := live(t, testkit.M{
		"protocols": testkit.M{"http": testkit.M{"max_body_bytes": "16MiB"}},
		"capture":   testkit.M{"ebpf": testkit.M{"ring_size": "128MiB"}},
		"memory":    testkit.M{"limit": "1GiB"}, // of which one connection may have a part
	})
	send := func(s *testkit.Server, name string, text bool) []want {
		calls := testkit.Send(t, testkit.Load{
			URL: s.URL(), Name: name, Method: "PUT", Path: "/echo", Size: size, Text: text, Requests: 1,
		})
		c.AwaitSpans("id="+name+"-1", 2)
		return between(t, calls, s)
	}
	wants := send(goServer, "go-binary", false)
	wants = append(wants, send(goServer, "go-text", true)...)
	wants = append(wants, send(gunicorn, "gunicorn-binary", false)...)
	wants = append(wants, send(node, "node-binary", false)...)
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	checkCalls(t, c.Calls(), wants)
}

// TestKilledClient kills the client in the middle of a response and in the
// middle of a request: what was there is kept, and what is missing is said.
func TestKilledClient(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	curl := testkit.NeedProgram(t, "curl")
	c := live(t, nil)

	reader := testkit.Start(t, testkit.Program{Path: curl, Args: []string{
		"--silent", "--no-buffer", "--header", truth.SequenceHeader + ": response", s.URL() + "/drip/200/20",
	}})
	testkit.Eventually(t, "part of the response", func() bool { return len(reader.Output()) >= 20 })
	reader.Signal(syscall.SIGKILL)

	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	writer := testkit.Start(t, testkit.Program{Path: curl, Stdin: r, Args: []string{
		"--silent", "--no-buffer", "--request", "POST", "--upload-file", "-", "--header", "Content-Type: text/plain",
		"--header", truth.SequenceHeader + ": request", s.URL() + "/echo",
	}})
	part := truth.TextBody(1, 3000)
	_, err = w.Write(part)
	require.NoError(t, err)
	const head = 100 // the request's header section is longer
	testkit.Eventually(t, "part of the request", func() bool { return testkit.Sent(writer.PID()) > head+len(part) })
	writer.Signal(syscall.SIGKILL)
	reader.Wait(testkit.Patience)
	writer.Wait(testkit.Patience)
	testkit.Eventually(t, "both calls", func() bool {
		groups := c.Calls().BySequence()
		return len(groups["response"]) >= 2 && len(groups["request"]) >= 2
	})
	c.Shutdown()
	groups := c.Calls().BySequence()

	for sequence, pid := range map[string]int{"response": reader.PID(), "request": writer.PID()} {
		require.Len(t, groups[sequence].Of(client), 1, sequence)
		require.Len(t, groups[sequence].Of(server), 1, sequence)
		assert.Equal(t, pid, groups[sequence].Of(client)[0].PID)
		assert.Equal(t, s.PID(), groups[sequence].Of(server)[0].PID)
	}
	whole := string(truth.TextBody(0, 200))
	for _, call := range groups["response"] {
		assert.Equal(t, 200, call.Status)
		assert.NotEmpty(t, incomplete(call))
		assert.GreaterOrEqual(t, len(call.Response.Body), 20)
		assert.Less(t, len(call.Response.Body), 200)
		assert.Equal(t, whole[:len(call.Response.Body)], string(call.Response.Body))
	}
	for _, call := range groups["request"] {
		assert.NotEmpty(t, incomplete(call))
		assert.Equal(t, string(part), string(call.Request.Body))
	}
}

// TestRestart stops the collector in the middle of keep-alive traffic and starts
// it again: nothing is there twice, and calls after the restart are complete.
func TestRestart(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	steps := testkit.StepClient(t, testkit.Load{
		URL: s.URL(), Name: "step", Method: "POST", Path: "/echo", Size: 3000, Requests: 20, Connections: 4,
	})
	first := live(t, nil)
	through := testkit.StartClient(t, testkit.Load{
		URL: s.URL(), Name: "through", Path: "/bytes/1/3000/text", Requests: 1500, Connections: 4, Rate: 250,
	})
	testkit.Eventually(t, "traffic", func() bool { return len(through.Truth()) > 100 })
	before := steps.Step()
	seenByFirst := len(through.Truth())
	first.Shutdown()
	steps.Step()
	second := live(t, nil)
	missedBySecond := len(through.Truth()) + 4 // calls that had begun
	after := steps.Step()
	calls := through.Finish()
	second.Shutdown()
	require.Less(t, missedBySecond+100, len(calls), "the traffic ended too early: this proves nothing")

	firstGot, secondGot := first.Calls(), second.Calls()
	t.Run("before", func(t *testing.T) { checkCalls(t, firstGot, between(t, before, s)) })
	t.Run("after", func(t *testing.T) { checkCalls(t, secondGot, between(t, after, s)) })
	t.Run("through", func(t *testing.T) {
		wants := between(t, calls, s)
		checkCalls(t, firstGot, wants[:seenByFirst])
		checkCalls(t, secondGot, wants[missedBySecond:])
		all := append(firstGot, secondGot...).BySequence()
		for _, w := range wants {
			whole := all[w.Sequence].Where(func(c testkit.Call) bool { return len(incomplete(c)) == 0 })
			assert.LessOrEqual(t, len(whole.Of(client)), 1, w.Sequence)
			assert.LessOrEqual(t, len(whole.Of(server)), 1, w.Sequence)
		}
	})
}
