// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// contain is deferred around everything that may run a dissector. A panic ends
// the conversation and nothing else. It is counted, and logged once per
// dissector.
func (e *Engine) contain(st *stream, t int64) {
	cause := recover()
	if cause == nil {
		return
	}
	e.report(cause)
	if st.session != nil {
		e.closeAfterPanic(st, t)
	}
	if st.state <= dissected {
		e.leave(st, ignored)
	}
}

// closeAfterPanic bears that the next stage is what panicked.
func (e *Engine) closeAfterPanic(st *stream, t int64) {
	defer func() {
		if cause := recover(); cause != nil {
			e.report(cause)
		}
	}()
	e.closeSession(st, t, dissect.ReasonViolation)
}

func (e *Engine) report(cause any) {
	c := e.current
	if c == nil {
		e.logger.Error("Processing a connection panicked", zap.ByteString("stack", debug.Stack()))
		return
	}
	c.counters.panics.Add(1)
	if c.panicWasSaid {
		return
	}
	c.panicWasSaid = true
	// A value that is not the runtime's own could quote payload.
	text := fmt.Sprintf("%T", cause)
	if err, ok := cause.(runtime.Error); ok {
		text = err.Error()
	}
	e.logger.Error("Dissector panicked; its conversation is given up. Further panics are counted only.",
		zap.String("protocol", c.Name), zap.String("cause", text), zap.ByteString("stack", debug.Stack()))
}
