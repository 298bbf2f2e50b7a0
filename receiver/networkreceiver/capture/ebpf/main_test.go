// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// roleVariable makes the test binary play a part in a test: the traffic of the
// process that captures is not captured, so another one has to make it.
const roleVariable = "WIRESPAN_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := roles[role](os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

var roles = map[string]func(args []string) error{
	"serve":    serve,
	"get":      get,
	"get-each": getEach,
	"udp":      serveUDP,
	"ask":      ask,
	"keep":     keep,
}

// serve answers each request with as many bytes as it asks for.
func serve(args []string) error {
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(answer))
}

func answer(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	w.Header().Set("Content-Length", strconv.Itoa(n))
	_, _ = w.Write(bytes.Repeat([]byte("r"), n))
}

// get makes the requests named by its arguments, one after the other.
func get(urls []string) error {
	for _, u := range urls {
		if err := fetch(http.DefaultClient, u); err != nil {
			return err
		}
	}
	return nil
}

// getEach uses a new connection for each request.
func getEach(urls []string) error {
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, u := range urls {
		if err := fetch(c, u); err != nil {
			return err
		}
	}
	return nil
}

func fetch(c *http.Client, url string) error {
	r, err := c.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

// keep opens a connection, says so, and makes one request for each line that it
// is told.
func keep(args []string) error {
	if err := get(args); err != nil {
		return err
	}
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if err := get([]string{in.Text()}); err != nil {
			return err
		}
		fmt.Println("done")
	}
	return nil
}

func serveUDP(args []string) error {
	c, err := net.ListenPacket("udp", args[0])
	if err != nil {
		return err
	}
	fmt.Println(c.LocalAddr())
	b := make([]byte, 64<<10)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return err
		}
		if _, err := c.WriteTo(bytes.ToUpper(b[:n]), from); err != nil {
			return err
		}
	}
}

func ask(args []string) error {
	c, err := net.Dial("udp", args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte(args[1])); err != nil {
		return err
	}
	b := make([]byte, 64<<10)
	n, err := c.Read(b)
	if err == nil && string(b[:n]) != strings.ToUpper(args[1]) {
		err = fmt.Errorf("answer is %q", b[:n])
	}
	return err
}

// actor is a process that plays a role.
type actor struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func roleCommand(role string, args ...string) *exec.Cmd {
	c := exec.Command("/proc/self/exe", args...)
	c.Env = append(os.Environ(), roleVariable+"="+role)
	c.Stderr = os.Stderr
	return c
}

// start runs a process until the test ends.
func start(t *testing.T, c *exec.Cmd) *actor {
	t.Helper()
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = in.Close()
		if c.SysProcAttr == ownGroup {
			_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		}
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return &actor{Cmd: c, in: in, out: bufio.NewReader(out)}
}

func (a *actor) line(t *testing.T) string {
	t.Helper()
	s, err := a.out.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(s)
}

// run runs a process to its end and gives its id.
func run(t *testing.T, c *exec.Cmd) int32 {
	t.Helper()
	c.Stderr = os.Stderr
	require.NoError(t, c.Run())
	return int32(c.Process.Pid)
}
