# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# The Ruby server under test, WEBrick with TLS: PORT. See server/main.go for what it
# answers and says.
require "digest"
require "json"
require "webrick"
require "webrick/https"

def body(seed, size, text)
  blocks = "".b
  k = 0
  while blocks.bytesize < size
    block = "#{seed}:#{k}"
    blocks << (text ? Digest::SHA256.hexdigest(block) : Digest::SHA256.digest(block))
    k += 1
  end
  blocks.byteslice(0, size)
end

class Answer < WEBrick::HTTPServlet::AbstractServlet
  def service(request, response)
    sent = request.body || ""
    _, part, seed, size, kind = request.path.split("/")
    response.body = part == "bytes" ? body(seed.to_i, size.to_i, kind == "text") : sent
    response["Content-Type"] = kind == "text" ? "text/plain" : "application/octet-stream"
    response["X-Sequence"] = request["X-Sequence"]
    response["Server-Pid"] = Process.pid.to_s
    File.open(ENV.fetch("TRUTH"), "ab") do |log|
      log.write(JSON.generate(
        pid: Process.pid, sequence: request["X-Sequence"], method: request.request_method, uri: request.unparsed_uri, status: 200,
        request_size: sent.bytesize, request_sha256: Digest::SHA256.hexdigest(sent),
        response_size: response.body.bytesize, response_sha256: Digest::SHA256.hexdigest(response.body),
      ) + "\n")
    end
  end
end

server = WEBrick::HTTPServer.new(
  BindAddress: "127.0.0.1", Port: ARGV[0].to_i, AccessLog: [], Logger: WEBrick::Log.new($stderr, WEBrick::Log::ERROR),
  SSLEnable: true, SSLCertificate: OpenSSL::X509::Certificate.new(File.read(ENV.fetch("TLS_CERTIFICATE"))),
  SSLPrivateKey: OpenSSL::PKey.read(File.read(ENV.fetch("TLS_KEY"))),
)
server.mount("/", Answer)
trap("TERM") { server.shutdown }
server.start
