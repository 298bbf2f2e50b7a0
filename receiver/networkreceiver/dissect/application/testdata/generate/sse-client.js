// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Reads an event stream as browsers do, and again from where it ended.
import { EventSource } from 'eventsource';

const source = new EventSource(`http://127.0.0.1:${process.argv[2]}/events`);
let ends = 0;
source.addEventListener('end', () => {
  if (++ends === 2) source.close();
});
