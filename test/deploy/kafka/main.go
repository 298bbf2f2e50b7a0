// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Kafka is a broker on 127.0.0.1 for a test, with topics of two partitions. Its
// module is its own, so that the product's requirements know nothing of it.
//
//	kafka <port> <user and password> <topic>…
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(port, user string, topics []string) error {
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("read port: %w", err)
	}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(number), kfake.SeedTopics(2, topics...),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", user, user))
	if err != nil {
		return fmt.Errorf("start broker: %w", err)
	}
	defer broker.Close()
	done := make(chan os.Signal, 1)
	signal.Notify(done, syscall.SIGTERM, os.Interrupt)
	<-done
	return nil
}
