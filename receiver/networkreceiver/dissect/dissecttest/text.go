// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissecttest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// exchangeText is an exchange as it stands in a golden file. What is empty is
// left out.
type exchangeText struct {
	Client    string        `yaml:"client"`
	First     bool          `yaml:"first,omitempty"`
	Missing   string        `yaml:"missing,omitempty"`
	Ended     string        `yaml:"ended,omitempty"`
	Uncertain bool          `yaml:"uncertain,omitempty"`
	Request   *messageText  `yaml:"request,omitempty"`
	Interim   []messageText `yaml:"interim,omitempty"`
	Response  *messageText  `yaml:"response,omitempty"`
	AsClient  sideText      `yaml:"as_client"`
	AsServer  *sideText     `yaml:"as_server,omitempty"` // if it differs
}

type messageText struct {
	Kind       string   `yaml:"kind,omitempty"`
	Bytes      string   `yaml:"bytes"` // offsets of the first and the last byte
	Time       string   `yaml:"time"`  // of the first and the last byte
	Size       uint64   `yaml:"size"`
	GapBytes   uint64   `yaml:"gap_bytes,omitempty"`
	Key        *uint64  `yaml:"key,omitempty"`
	Incomplete string   `yaml:"incomplete,omitempty"`
	Ended      string   `yaml:"ended,omitempty"`
	Midway     bool     `yaml:"midway,omitempty"`
	Flags      []string `yaml:"flags,flow,omitempty"`
	Events     uint64   `yaml:"events,omitempty"`
	Protocol   string   `yaml:"protocol,omitempty"`
	Headers    []string `yaml:"headers,omitempty"`
	Trailers   []string `yaml:"trailers,omitempty"`
	MediaType  string   `yaml:"media_type,omitempty"`
	Charset    string   `yaml:"charset,omitempty"`
	Body       string   `yaml:"body,omitempty"`
	BodySize   uint64   `yaml:"body_size,omitempty"`
	KeptSize   uint64   `yaml:"kept_size,omitempty"`
	Truncated  string   `yaml:"truncated,omitempty"`
	Coding     string   `yaml:"coding,omitempty"`
	DecodeErr  bool     `yaml:"decode_error,omitempty"`
}

type sideText struct {
	Name       string   `yaml:"name,omitempty"`
	Status     string   `yaml:"status,omitempty"`
	Error      bool     `yaml:"error,omitempty"`
	ErrorType  string   `yaml:"error_type,omitempty"`
	Attributes []string `yaml:"attributes,omitempty"`
}

// eventText is an Event. Of tells the offset at which its call's request begins.
type eventText struct {
	Name       string       `yaml:"name"`
	Client     string       `yaml:"client"`
	Of         *uint64      `yaml:"of,omitempty"`
	Message    *messageText `yaml:"message"`
	Attributes []string     `yaml:"attributes,omitempty"`
}

// Text renders exchanges for people, in the order given, and after them events if
// there are any, as YAML. Times are relative to base, Unix nanoseconds.
func (r *Result) Text(base int64) string {
	exchanges := make([]exchangeText, len(r.Exchanges))
	for i, x := range r.Exchanges {
		exchanges[i] = textOf(x, base)
	}
	text := yamlOf(exchanges)
	if len(r.Events) == 0 {
		return text
	}
	events := make([]eventText, len(r.Events))
	for i, e := range r.Events {
		events[i] = eventOf(e, base)
	}
	return text + "---\n" + yamlOf(events)
}

func yamlOf[T any](list []T) string {
	if len(list) == 0 {
		return "[]\n"
	}
	var out strings.Builder
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(list); err != nil {
		return err.Error()
	}
	return out.String()
}

func eventOf(e *pair.Event, base int64) eventText {
	text := eventText{Client: clientOf(e.ClientIsLocal), Message: messageOf(e.Message, base)}
	if e.Origin != nil {
		text.Of = &e.Origin.First.Offset
	}
	if n, ok := e.Dissector.(dissect.EventDescriber); ok {
		var list attributes
		e.Message.Origin = e.Origin
		text.Name = n.DescribeEvent(e.Message, &list)
		text.Attributes = list
	}
	return text
}

func clientOf(local bool) string {
	if local {
		return "local"
	}
	return "remote"
}

func textOf(x *pair.Exchange, base int64) exchangeText {
	text := exchangeText{Client: clientOf(x.ClientIsLocal), First: x.First, Missing: string(x.Missing), Uncertain: x.Uncertain}
	text.Request, text.Response = messageOf(x.Request, base), messageOf(x.Response, base)
	for _, m := range x.Interim {
		text.Interim = append(text.Interim, *messageOf(m, base))
	}
	text.Ended = after(x.Ended, base)
	text.AsClient = describe(dissect.ClientSide, x)
	if server := describe(dissect.ServerSide, x); fmt.Sprint(server) != fmt.Sprint(text.AsClient) {
		text.AsServer = &server
	}
	return text
}

func messageOf(m *dissect.Message, base int64) *messageText {
	if m == nil {
		return nil
	}
	c := m.Content
	text := &messageText{
		Bytes: fmt.Sprintf("%d-%d", m.First.Offset, m.Last.Offset), Size: m.Size, GapBytes: m.GapBytes,
		Time:       fmt.Sprintf("%gms-%gms", milliseconds(m.First.Time-base), milliseconds(m.Last.Time-base)),
		Incomplete: string(m.Incomplete), Ended: after(m.Ended, base), Midway: m.Midway, Flags: m.Flags, Events: m.Events,
		Headers: headers(c.Headers), Trailers: headers(c.Trailers),
		MediaType: c.MediaType, Charset: c.Charset, Body: body(c.Body), BodySize: c.BodySize,
		KeptSize: c.KeptSize, Truncated: c.Truncated, Coding: c.Coding, DecodeErr: c.DecodeError,
	}
	if m.Kind == dissect.Interim {
		text.Kind = "interim"
	}
	if m.Kind == dissect.OneWay {
		text.Kind = "one-way"
	}
	if m.Keyed {
		text.Key = &m.Key
	}
	if m.Protocol != nil {
		text.Protocol = strings.TrimPrefix(fmt.Sprintf("%+v", m.Protocol), "&")
	}
	return text
}

// after is a time that is not always known.
func after(t, base int64) string {
	if t == 0 {
		return ""
	}
	return fmt.Sprintf("%gms", milliseconds(t-base))
}

func milliseconds(ns int64) float64 { return float64(ns) / 1e6 }

func headers(list []dissect.Header) (lines []string) {
	for _, h := range list {
		lines = append(lines, h.Name+": "+h.Value)
	}
	return lines
}

// body is the text of a short body, else its length and digest.
func body(b []byte) string {
	const short = 4 << 10
	digest := sha256.Sum256(b)
	switch {
	case len(b) > short:
		return fmt.Sprintf("(%d bytes, sha256 %s)", len(b), hex.EncodeToString(digest[:]))
	case !utf8.Valid(b):
		return "(hex) " + hex.EncodeToString(b)
	}
	return string(b)
}

func describe(side dissect.Side, x *pair.Exchange) sideText {
	var list attributes
	s := x.Dissector.Describe(side, x.Request, x.Response, &list)
	for _, p := range x.Prefaces {
		client, server := p.Ends()
		for _, end := range []struct {
			name string
			dissect.Endpoint
		}{{"client", client}, {"server", server}} {
			if end.Address != "" {
				list.set("behind."+end.name, net.JoinHostPort(end.Address, strconv.Itoa(int(end.Port))))
			}
		}
		p.DescribePreface(&list)
	}
	return sideText{
		Name: s.Name, Status: s.Status, Error: s.Error, ErrorType: s.ErrorType,
		Attributes: list,
	}
}

// attributes collects attributes in the order in which they are set.
type attributes []string

var _ dissect.Attributes = (*attributes)(nil)

func (a *attributes) set(key string, value any) { *a = append(*a, fmt.Sprintf("%s = %v", key, value)) }

// Str implements dissect.Attributes.
func (a *attributes) Str(key, value string) { a.set(key, value) }

// Strs implements dissect.Attributes.
func (a *attributes) Strs(key string, values []string) { a.set(key, fmt.Sprintf("%q", values)) }

// Int implements dissect.Attributes.
func (a *attributes) Int(key string, value int64) { a.set(key, value) }

// Float implements dissect.Attributes.
func (a *attributes) Float(key string, value float64) { a.set(key, value) }

// Bool implements dissect.Attributes.
func (a *attributes) Bool(key string, value bool) { a.set(key, value) }

func (a *attributes) Payload(key, _, value string) { a.set(key, value) }
