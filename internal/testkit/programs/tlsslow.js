// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// A TLS client under test that reads slowly: MODE BASE. For each line SEQUENCE URI it
// calls, all over one connection, and says what it got as a line of JSON; see truth/.
"use strict";
const https = require("node:https");
const fs = require("node:fs");
const { createHash } = require("node:crypto");
const readline = require("node:readline");

const sum = (b) => createHash("sha256").update(b).digest("hex");
const base = process.argv[3];
const ca = fs.readFileSync(process.env.TLS_AUTHORITY);
const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
const pause = 10; // ms

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [sequence, uri] = line.split(" ");
  https.get(base + uri, { ca, agent, headers: { "X-Sequence": sequence } }, (res) => {
    const chunks = [];
    res.on("data", (chunk) => {
      chunks.push(chunk);
      res.pause();
      setTimeout(() => res.resume(), pause);
    });
    res.on("end", () => {
      const response = Buffer.concat(chunks);
      process.stdout.write(JSON.stringify({
        pid: process.pid, sequence, method: "GET", uri, status: res.statusCode,
        request_size: 0, request_sha256: sum(Buffer.alloc(0)),
        response_size: response.length, response_sha256: sum(response),
      }) + "\n");
    });
  });
});
