// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The Node server under test; see server/main.go. With a second argument "http2" it
// speaks HTTP/2. It uses TLS if TLS_CERTIFICATE and TLS_KEY name files.
"use strict";
const http = require("node:http");
const http2 = require("node:http2");
const https = require("node:https");
const fs = require("node:fs");
const { createHash } = require("node:crypto");

const sum = (b) => createHash("sha256").update(b).digest("hex");

function body(seed, size, text) {
  const blocks = [];
  const need = Math.floor(size / (text ? 64 : 32)) + 1;
  for (let k = 0; k < need; k++) {
    const block = createHash("sha256").update(`${seed}:${k}`);
    blocks.push(text ? Buffer.from(block.digest("hex")) : block.digest());
  }
  return Buffer.concat(blocks).subarray(0, size);
}

function answer(path, request, mediaType) {
  const part = path.split("?")[0].split("/").slice(1);
  if (part[0] === "bytes") {
    const text = part[3] === "text";
    return [200, text ? "text/plain" : "application/octet-stream", body(+part[1], +part[2], text)];
  }
  if (part[0] === "status") {
    const code = +part[1];
    const none = code === 204 || code === 304;
    return [code, "text/plain", Buffer.from(none ? "" : http.STATUS_CODES[code] + "\n")];
  }
  return [200, mediaType || "text/plain", request];
}

const two = process.argv[3] === "http2";
const files = { cert: process.env.TLS_CERTIFICATE, key: process.env.TLS_KEY };
const create = files.cert
  ? (two ? http2.createSecureServer : https.createServer).bind(null, { cert: fs.readFileSync(files.cert), key: fs.readFileSync(files.key) })
  : (two ? http2.createServer : http.createServer);
create((req, res) => {
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk));
  req.on("end", () => {
    const request = Buffer.concat(chunks);
    const [status, type, response] = answer(req.url, request, req.headers["content-type"]);
    fs.appendFileSync(process.env.TRUTH, JSON.stringify({
      pid: process.pid, sequence: req.headers["x-sequence"] || "", method: req.method, uri: req.url, status,
      request_size: request.length, request_sha256: sum(request),
      response_size: response.length, response_sha256: sum(response),
    }) + "\n");
    // No Content-Length: Node sends larger bodies in chunks.
    res.writeHead(status, {
      "Content-Type": type, "Server-Pid": String(process.pid), "X-Sequence": req.headers["x-sequence"] || "",
    });
    res.write(response.subarray(0, response.length / 2));
    res.end(response.subarray(response.length / 2));
  });
}).listen(+process.argv[2], "127.0.0.1");
