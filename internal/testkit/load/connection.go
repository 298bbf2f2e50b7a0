// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// connection has at most one request under way.
type connection struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
	ids     []int // where the request has its sequence number
	calls   []Call
	under   chan Call // the request under way, in an open loop
}

// digits is the width of a sequence number, so that all requests have one length.
const digits = 10

func (p *Plan) connect(deadline time.Time) (*connection, error) {
	conn, err := net.DialTimeout("tcp", p.Addr, 5*time.Second)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &connection{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	c.request, c.ids = p.template()
	return c, nil
}

// template is a request and where its sequence number goes.
func (p *Plan) template() (request []byte, ids []int) {
	number := bytes.Repeat([]byte("#"), digits)
	method := "GET"
	if p.Body > 0 {
		method = "POST"
	}
	b := fmt.Appendf(nil, "%s %s?id=%s-%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load/1\r\nAccept: application/json\r\n%s: %[3]s-%[4]s\r\n",
		method, p.Path, p.Name, number, p.Addr, truth.SequenceHeader)
	if p.Body > 0 {
		b = fmt.Appendf(b, "Content-Type: text/plain\r\nContent-Length: %d\r\n", p.Body)
	}
	b = append(b, "\r\n"...)
	for at := 0; ; {
		next := bytes.Index(b[at:], number)
		if next < 0 {
			break
		}
		ids = append(ids, at+next)
		at += next + digits
	}
	return append(b, truth.TextBody(len(p.Name), p.Body)...), ids
}

// send writes a request in one piece.
func (c *connection) send(call *Call) error {
	for _, at := range c.ids {
		n := call.Sequence
		for i := at + digits - 1; i >= at; i-- {
			c.request[i] = byte('0' + n%10)
			n /= 10
		}
	}
	call.Sent = time.Now().UnixNano()
	if _, err := c.conn.Write(c.request); err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	return nil
}

// receive reads one response to its end.
func (c *connection) receive(call *Call) error {
	status, length, err := c.head()
	if err != nil {
		return fmt.Errorf("receive response: %w", err)
	}
	if _, err := c.in.Discard(length); err != nil {
		return fmt.Errorf("receive body: %w", err)
	}
	call.Done, call.Status = time.Now().UnixNano(), uint64(status)
	return nil
}

var contentLength = []byte("content-length:")

// head reads a status line and header fields. Both servers that are used state the
// length of each body.
func (c *connection) head() (status, length int, err error) {
	length = -1
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		line = bytes.TrimSuffix(line, []byte("\r\n"))
		switch {
		case first:
			if len(line) < len("HTTP/1.1 200") {
				return 0, 0, fmt.Errorf("status line is %q", line)
			}
			status, err = strconv.Atoi(string(line[9:12]))
		case len(line) == 0:
			if length < 0 {
				return 0, 0, fmt.Errorf("response %d has no length", status)
			}
			return status, length, nil
		case len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength):
			length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):])))
		}
		if err != nil {
			return 0, 0, fmt.Errorf("parse response: %w", err)
		}
	}
}

// exchange sends a request and reads its response. It remembers the call whatever
// became of it.
func (c *connection) exchange(call Call) error {
	err := c.send(&call)
	if err == nil {
		err = c.receive(&call)
	}
	c.calls = append(c.calls, call)
	return err
}
