// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command sdk is a service that is instrumented with OpenTelemetry's SDK, as its
// documentation shows: otelhttp at both sides, exported by OTLP over HTTP. The
// environment configures the SDK.
//
// As a server (LISTEN) it asks the next service (NEXT) before it answers. Without
// LISTEN it makes one call to NEXT. With TRACERESPONSE it tells its callers of its trace.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
)

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return err
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	err = serveOrCall(ctx)
	return errors.Join(err, provider.Shutdown(context.Background()))
}

var client = http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}

func serveOrCall(ctx context.Context) error {
	addr, next := os.Getenv("LISTEN"), os.Getenv("NEXT")
	if addr == "" {
		return call(ctx, next)
	}
	handle := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if os.Getenv("TRACERESPONSE") != "" {
			tell(w, oteltrace.SpanContextFromContext(r.Context()))
		}
		if next != "" {
			if err := call(r.Context(), next); err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
		}
		fmt.Fprintln(w, "done")
	})
	server := &http.Server{Addr: addr, Handler: otelhttp.NewHandler(handle, "", otelhttp.WithSpanNameFormatter(
		func(_ string, r *http.Request) string { return r.Method + " " + r.URL.Path }))}
	go func() {
		<-ctx.Done()
		_ = server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// tell is all that it takes to write the header of W3C Trace Context, level 2.
func tell(w http.ResponseWriter, c oteltrace.SpanContext) {
	w.Header().Set("traceresponse", fmt.Sprintf("00-%s-%s-%s", c.TraceID(), c.SpanID(), c.TraceFlags()))
}

func call(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}
