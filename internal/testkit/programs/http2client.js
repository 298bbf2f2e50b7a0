// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The Node client under test: it posts so many bodies of different sizes at the same
// time over one connection of HTTP/2, and says what became of each in the file TRUTH.
//
//   node http2client.js URL NAME COUNT
"use strict";
const http2 = require("node:http2");
const fs = require("node:fs");
const { createHash } = require("node:crypto");

const sum = (b) => createHash("sha256").update(b).digest("hex");
const [url, name, count] = process.argv.slice(2);
const session = http2.connect(url);
session.on("error", (e) => { throw e; });

let open = +count;
for (let i = 0; i < +count; i++) {
  const sequence = `${name}-${i}`;
  const uri = `/echo?id=${sequence}`;
  const body = Buffer.from(sum(Buffer.from(sequence)).repeat(1 + (i % 50) * 10));
  const stream = session.request({ ":method": "POST", ":path": uri, "content-type": "text/plain", "x-sequence": sequence });
  const chunks = [];
  let status = 0;
  stream.on("response", (headers) => { status = headers[":status"]; });
  stream.on("data", (chunk) => chunks.push(chunk));
  stream.on("end", () => {
    const response = Buffer.concat(chunks);
    fs.appendFileSync(process.env.TRUTH, JSON.stringify({
      pid: process.pid, sequence, method: "POST", uri, status,
      request_size: body.length, request_sha256: sum(body),
      response_size: response.length, response_sha256: sum(response),
    }) + "\n");
    if (--open === 0) session.close();
  });
  stream.end(body);
}
