// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// A TLS client under test that reads slowly: MODE BASE, with the mode node or http2. For
// each line SEQUENCE URI it calls, all over one connection, and says what it got as a line
// of JSON; see truth/.
"use strict";
const https = require("node:https");
const http2 = require("node:http2");
const fs = require("node:fs");
const { createHash } = require("node:crypto");
const readline = require("node:readline");

const sum = (b) => createHash("sha256").update(b).digest("hex");
const [mode, base] = process.argv.slice(2);
const ca = fs.readFileSync(process.env.TLS_AUTHORITY);
const pause = 10; // ms

function receive(sequence, uri, from, status) {
  const chunks = [];
  from.on("data", (chunk) => {
    chunks.push(chunk);
    from.pause();
    setTimeout(() => from.resume(), pause);
  });
  from.on("end", () => {
    const response = Buffer.concat(chunks);
    process.stdout.write(JSON.stringify({
      pid: process.pid, sequence, method: "GET", uri, status: status(),
      request_size: 0, request_sha256: sum(Buffer.alloc(0)),
      response_size: response.length, response_sha256: sum(response),
    }) + "\n");
  });
}

const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
const session = mode === "http2" ? http2.connect(base, { ca }) : null;

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [sequence, uri] = line.split(" ");
  if (session) {
    const stream = session.request({ ":path": uri, "x-sequence": sequence });
    let status = 0;
    stream.on("response", (headers) => { status = headers[":status"]; });
    receive(sequence, uri, stream, () => status);
    return;
  }
  https.get(base + uri, { ca, agent, headers: { "X-Sequence": sequence } }, (res) => {
    receive(sequence, uri, res, () => res.statusCode);
  });
});
