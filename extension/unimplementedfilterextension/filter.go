// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package unimplementedfilterextension

import (
	"context"
	"path"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wirespan/wirespan/extension/unimplementedfilterextension/internal/metadata"
)

// filter drops the requests of one client for services that its server has said
// not to implement.
type filter struct {
	logger        *zap.Logger
	telemetry     *metadata.TelemetryBuilder
	retryInterval time.Duration
	now           func() time.Time

	mu sync.Mutex
	// retryAt has, for each method that is not implemented, the time of the next
	// request that is sent all the same.
	retryAt map[string]time.Time
}

func newFilter(logger *zap.Logger, telemetry *metadata.TelemetryBuilder, retryInterval time.Duration) *filter {
	return &filter{
		logger: logger, telemetry: telemetry, retryInterval: retryInterval,
		now: time.Now, retryAt: map[string]time.Time{},
	}
}

// intercept is a grpc.UnaryClientInterceptor. A request that is dropped succeeds,
// with an empty response: the exporter would log and count each failure.
func (f *filter) intercept(ctx context.Context, method string, request, response any,
	conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	if !f.admits(method) {
		f.drop(ctx, method)
		return nil
	}
	err := invoke(ctx, method, request, response, conn, options...)
	if status.Code(err) == codes.Unimplemented {
		f.close(method, conn.Target(), err)
		f.drop(ctx, method)
		return nil
	}
	if err == nil {
		f.open(method, conn.Target())
	}
	return err
}

// admits reports whether a request is to be sent. Where the method is not
// implemented, that is one request per retry interval.
func (f *filter) admits(method string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, closed := f.retryAt[method]
	if !closed {
		return true
	}
	now := f.now()
	if now.Before(at) {
		return false
	}
	f.retryAt[method] = now.Add(f.retryInterval)
	return true
}

// close notes that the server does not implement the method, and logs it once.
func (f *filter) close(method, target string, err error) {
	f.mu.Lock()
	_, closed := f.retryAt[method]
	f.retryAt[method] = f.now().Add(f.retryInterval)
	f.mu.Unlock()
	if !closed {
		f.logger.Warn("server does not implement a signal, which is no longer sent",
			zap.String("signal", signalOf(method)), zap.String("endpoint", target),
			zap.String("answer", status.Convert(err).Message()), zap.Duration("retry_interval", f.retryInterval))
	}
}

// open notes that the server implements the method.
func (f *filter) open(method, target string) {
	f.mu.Lock()
	_, closed := f.retryAt[method]
	delete(f.retryAt, method)
	f.mu.Unlock()
	if closed {
		f.logger.Info("server implements a signal, which is sent again",
			zap.String("signal", signalOf(method)), zap.String("endpoint", target))
	}
}

func (f *filter) drop(ctx context.Context, method string) {
	f.telemetry.ExtensionUnimplementedFilterDroppedRequests.Add(ctx, 1,
		metric.WithAttributes(attribute.String("service", serviceOf(method))))
}

// serviceOf returns the service of a full method name, such as "/package.Service/Method".
func serviceOf(method string) string {
	return strings.TrimPrefix(path.Dir(method), "/")
}

// signalOf returns what is exported by a method: "logs" for OTLP's LogsService,
// the service's name for any other service.
func signalOf(method string) string {
	service := serviceOf(method)
	name, ok := strings.CutPrefix(service, "opentelemetry.proto.collector.")
	if !ok {
		return service
	}
	signal, _, _ := strings.Cut(name, ".")
	if signal == "trace" {
		return "traces"
	}
	return signal
}
