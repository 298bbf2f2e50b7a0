# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# The Ruby client under test: BASE URI SEQUENCE BODYFILE. It says what it did as a line
# of JSON; see truth/. With the sequence - it makes a call for each line that it reads,
# whose sequence is that line. It loads its TLS library when it is first needed.
require "digest"
require "json"
require "net/http"

def call(base, uri, sequence, file)
  body = file.empty? ? "" : File.binread(file)
  to = URI(base)
  kind = file.empty? ? Net::HTTP::Get : Net::HTTP::Post
  request = kind.new(uri, { "X-Sequence" => sequence, "Accept-Encoding" => "identity" })
  unless file.empty?
    request.body = body
    request["Content-Type"] = "application/octet-stream"
  end
  response = Net::HTTP.start(to.hostname, to.port, use_ssl: true, ca_file: ENV.fetch("TLS_AUTHORITY")) { |h| h.request(request) }
  puts JSON.generate(
    pid: Process.pid, method: request.method, uri: uri, status: response.code.to_i,
    request_size: body.bytesize, request_sha256: Digest::SHA256.hexdigest(body),
    response_size: response.body.bytesize, response_sha256: Digest::SHA256.hexdigest(response.body),
  )
end

$stdout.sync = true
base, uri, sequence, file = ARGV
sequences = sequence == "-" ? $stdin.each_line(chomp: true) : [sequence]
sequences.each { |s| call(base, uri, s, file) }
