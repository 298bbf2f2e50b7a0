// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// State of a loop by bpf_loop.
#pragma once

#include "types.h"

// loop_zero is what such state begins with where the steps decide by it. Verifiers before
// Linux 6.7 look at one step only: of what they know to be zero there, they believe that
// it always is, and they remove the code for anything else. Of a variable they know
// nothing.
static volatile __u32 loop_zero;
