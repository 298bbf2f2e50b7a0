// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

import java.net.Socket;
import java.net.URI;
import java.net.http.*;
import java.security.cert.X509Certificate;
import javax.net.ssl.*;

/**
 * Asks with Java's own TLS for a URL, by way of a socket (SSLSocket) or of an engine (SSLEngine,
 * which java.net.http uses), and writes what comes. Everybody is trusted. The arguments are WAY,
 * URL and SEQUENCE, of which the latter is sent as X-Sequence.
 */
public class Get {
  public static void main(String[] arguments) throws Exception {
    URI url = URI.create(arguments[1]);
    byte[] body = arguments[0].equals("engine") ? byEngine(url, arguments[2]) : bySocket(url, arguments[2]);
    System.out.write(body);
    System.out.flush();
  }

  static byte[] byEngine(URI url, String sequence) throws Exception {
    HttpClient client = HttpClient.newBuilder().sslContext(trusting()).version(HttpClient.Version.HTTP_1_1).build();
    HttpRequest request = HttpRequest.newBuilder(url).header("X-Sequence", sequence).build();
    return client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
  }

  static byte[] bySocket(URI url, String sequence) throws Exception {
    try (Socket s = trusting().getSocketFactory().createSocket(url.getHost(), url.getPort())) {
      String request = "GET " + url.getPath() + " HTTP/1.0\r\nHost: " + url.getHost() + "\r\nX-Sequence: " + sequence + "\r\n\r\n";
      s.getOutputStream().write(request.getBytes());
      String response = new String(s.getInputStream().readAllBytes(), "ISO-8859-1");
      return response.substring(response.indexOf("\r\n\r\n") + 4).getBytes("ISO-8859-1");
    }
  }

  static SSLContext trusting() throws Exception {
    SSLContext c = SSLContext.getInstance("TLS");
    c.init(null, new TrustManager[] { new X509TrustManager() {
      public void checkClientTrusted(X509Certificate[] chain, String type) {}
      public void checkServerTrusted(X509Certificate[] chain, String type) {}
      public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    } }, null);
    return c;
  }
}
