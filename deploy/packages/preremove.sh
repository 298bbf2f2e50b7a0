#!/bin/sh
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0
#
# dpkg says "remove" or "upgrade", rpm how many versions remain.
set -e
case "$1" in
remove | 0)
  if [ -d "$DPKG_ROOT/run/systemd/system" ]; then
    systemctl disable --now wirespan.service
  fi
  ;;
esac
