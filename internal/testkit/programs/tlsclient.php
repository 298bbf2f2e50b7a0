<?php
// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The PHP client under test: BASE URI SEQUENCE BODYFILE, with PHP's own streams. It says
// what it did as a line of JSON; see truth/. With the sequence - it makes a call for each
// line that it reads, whose sequence is that line.
function call($base, $uri, $sequence, $file)
{
    $request = $file === '' ? '' : file_get_contents($file);
    $method = $file === '' ? 'GET' : 'POST';
    $response = file_get_contents($base . $uri, false, stream_context_create([
        'ssl' => ['cafile' => getenv('TLS_AUTHORITY')],
        'http' => [
            'method' => $method, 'content' => $request, 'protocol_version' => 1.1, 'ignore_errors' => true,
            'header' => "X-Sequence: $sequence\r\nContent-Type: application/octet-stream\r\nConnection: close",
        ],
    ]));
    echo json_encode([
        'pid' => getmypid(), 'method' => $method, 'uri' => $uri, 'status' => (int) explode(' ', $http_response_header[0])[1],
        'request_size' => strlen($request), 'request_sha256' => hash('sha256', $request),
        'response_size' => strlen($response), 'response_sha256' => hash('sha256', $response),
    ], JSON_UNESCAPED_SLASHES), "\n";
}

[, $base, $uri, $sequence, $file] = $argv;
if ($sequence !== '-') {
    call($base, $uri, $sequence, $file);
} else {
    while (($line = fgets(STDIN)) !== false) {
        call($base, $uri, rtrim($line, "\n"), $file);
    }
}
