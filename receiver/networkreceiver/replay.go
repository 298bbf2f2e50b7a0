// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"context"
	"fmt"
	"os"
	ossignal "os/signal"
	"time"

	"go.uber.org/zap"
	"golang.org/x/term"
)

// exitCollector ends the collector in the ordinary way, with everything that is
// in flight exported first. The collector has no call for that; it takes an
// interrupt as the wish to stop, and its exit status is then that of Shutdown.
// It listens only when all components have started, which a short capture file
// does not wait for: so the wish is repeated until stopping is closed.
func exitCollector(logger *zap.Logger, stopping <-chan struct{}) {
	heard := make(chan os.Signal, 1)
	ossignal.Notify(heard, os.Interrupt) // else the first one could kill the process
	defer ossignal.Stop(heard)
	self, err := os.FindProcess(os.Getpid())
	for err == nil {
		err = self.Signal(os.Interrupt)
		select {
		case <-stopping:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
	logger.Error("end collector", zap.Error(err))
}

// showProgress shows how much of the capture files is read, on a terminal only.
func showProgress(ctx context.Context, progress func() (done, total int64)) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return
	}
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			fmt.Fprint(os.Stderr, "\r\x1b[K")
			return
		case <-tick.C:
			if done, total := progress(); total > 0 {
				fmt.Fprintf(os.Stderr, "\rread %d%% of %v\x1b[K", 100*done/total, ByteSize(total))
			}
		}
	}
}
