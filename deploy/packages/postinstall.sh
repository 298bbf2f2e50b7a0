#!/bin/sh
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0
#
# The service is not started: first somebody says where its records go.
set -e
if [ -d "$DPKG_ROOT/run/systemd/system" ]; then
  systemctl daemon-reload
  systemctl try-restart wirespan.service
fi
