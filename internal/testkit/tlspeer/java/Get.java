// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

import java.net.Socket;
import java.security.cert.X509Certificate;
import javax.net.ssl.*;
/** Asks with JSSE for HOST PORT, trusts everybody, and stays a while. */
public class Get {
  public static void main(String[] a) throws Exception {
    SSLContext c = SSLContext.getInstance("TLS");
    c.init(null, new TrustManager[] { new X509TrustManager() {
      public void checkClientTrusted(X509Certificate[] x, String s) {}
      public void checkServerTrusted(X509Certificate[] x, String s) {}
      public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    } }, null);
    try (Socket s = c.getSocketFactory().createSocket(a[0], Integer.parseInt(a[1]))) {
      s.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".getBytes());
      System.out.println(s.getInputStream().readAllBytes().length);
    }
    Thread.sleep(3000);
  }
}
