#!/bin/sh
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0
#
# dpkg says "purge" when configuration and state go too. The queue in the state folder
# has payloads in it.
set -e
if [ "$1" = purge ]; then
  rm -rf "$DPKG_ROOT/var/lib/wirespan" "$DPKG_ROOT/var/lib/private/wirespan"
fi
if [ -d "$DPKG_ROOT/run/systemd/system" ]; then
  systemctl daemon-reload
fi
