// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The Node client under test: MODE BASE URI SEQUENCE BODYFILE, with the mode http1 or
// http2. It says what it did as a line of JSON; see truth/.
"use strict";
const https = require("node:https");
const http2 = require("node:http2");
const fs = require("node:fs");
const { createHash } = require("node:crypto");

const sum = (b) => createHash("sha256").update(b).digest("hex");
const [mode, base, uri, sequence, file] = process.argv.slice(2);
const request = file ? fs.readFileSync(file) : Buffer.alloc(0);
const method = file ? "POST" : "GET";
const ca = fs.readFileSync(process.env.TLS_AUTHORITY);

function done(status, chunks) {
  const response = Buffer.concat(chunks);
  process.stdout.write(JSON.stringify({
    pid: process.pid, method, uri, status,
    request_size: request.length, request_sha256: sum(request),
    response_size: response.length, response_sha256: sum(response),
  }) + "\n");
}

if (mode === "http2") {
  const session = http2.connect(base, { ca });
  const stream = session.request({ ":method": method, ":path": uri, "x-sequence": sequence }, { endStream: !file });
  const chunks = [];
  let status = 0;
  stream.on("response", (headers) => { status = headers[":status"]; });
  stream.on("data", (chunk) => chunks.push(chunk));
  stream.on("end", () => { done(status, chunks); session.close(); });
  if (file) stream.end(request);
} else {
  const headers = { "X-Sequence": sequence };
  if (file) headers["Content-Length"] = request.length;
  https.request(base + uri, { ca, method, headers }, (res) => {
    const chunks = [];
    res.on("data", (chunk) => chunks.push(chunk));
    res.on("end", () => done(res.statusCode, chunks));
  }).end(request);
}
