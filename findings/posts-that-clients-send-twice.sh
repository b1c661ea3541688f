#!/usr/bin/env bash
# Three HTTP clients without any retries asked for send one POST twice by themselves.
#
# Where: HttpURLConnection of OpenJDK 17, OkHttp 4.12.0, net/http of Go 1.26.8
# Guess: without a retry library a POST is sent once, whatever the server does; a header is no concern of the client's.
# Seen:  HttpURLConnection: a server that closes without an answer gets the POST twice, and the caller one exception. OkHttp:
#        twice after a plain 408, and after a 503 with `Retry-After: 0`, once with `Retry-After: 1`. Go: on a kept connection
#        that closes, once; with an `Idempotency-Key` twice, and the caller sees a 200.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId><artifactId>ask</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.squareup.okhttp3</groupId><artifactId>okhttp</artifactId><version>4.12.0</version></dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=lib >/dev/null
cat > Ask.java <<'JAVA'
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.*;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.*;

public class Ask {
  static final InetAddress here = InetAddress.getLoopbackAddress();

  public static void main(String[] none) throws Exception {
    System.out.println("HttpURLConnection, closed: " + closed());
    for (String path : new String[] {"/408", "/503", "/503/0", "/503/1"}) System.out.println("OkHttp, " + path + ": " + okhttp(path));
    System.exit(0);
  }

  static int closed() throws Exception {
    AtomicInteger arrived = new AtomicInteger();
    ServerSocket server = new ServerSocket(0, 9, here);
    Thread accepting = new Thread(() -> {
      try {
        while (true) {
          try (Socket socket = server.accept()) {
            if (socket.getInputStream().read(new byte[4096]) > 0) arrived.incrementAndGet();
          }
        }
      } catch (IOException over) {
      }
    });
    accepting.start();
    HttpURLConnection call = (HttpURLConnection) new URL("http://127.0.0.1:" + server.getLocalPort() + "/").openConnection();
    call.setRequestMethod("POST");
    call.setDoOutput(true);
    call.getOutputStream().write("order".getBytes());
    try {
      call.getResponseCode();
      throw new AssertionError("an answer that nobody gave");
    } catch (IOException told) {
      server.close();
      return arrived.get();
    }
  }

  static int okhttp(String path) throws Exception {
    AtomicInteger arrived = new AtomicInteger();
    HttpServer server = HttpServer.create(new InetSocketAddress(here, 0), 0);
    server.createContext("/", exchange -> {
      exchange.getRequestBody().readAllBytes();
      arrived.incrementAndGet();
      String[] parts = path.split("/");
      if (parts.length > 2) exchange.getResponseHeaders().add("Retry-After", parts[2]);
      exchange.sendResponseHeaders(Integer.parseInt(parts[1]), -1);
      exchange.close();
    });
    server.start();
    Request post = new Request.Builder()
        .url("http://127.0.0.1:" + server.getAddress().getPort() + path)
        .post(RequestBody.create("order", MediaType.get("text/plain")))
        .build();
    new OkHttpClient().newCall(post).execute().close();
    server.stop(0);
    return arrived.get();
  }
}
JAVA
javac -nowarn -cp 'lib/*' Ask.java
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// One answer for each connection: it closes when a second request has come.
func ask(key string) {
	var arrived atomic.Int32
	server, _ := net.Listen("tcp", "127.0.0.1:0")
	defer server.Close()
	go func() {
		for {
			socket, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				defer socket.Close()
				buffer := make([]byte, 4096)
				for range 2 {
					length, _ := socket.Read(buffer)
					if strings.HasPrefix(string(buffer[:length]), "POST") {
						arrived.Add(1)
					}
					if arrived.Load() != 1 {
						fmt.Fprint(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					}
				}
			}()
		}
	}()
	address := "http://" + server.Addr().String()
	first, _ := http.Get(address)
	io.Copy(io.Discard, first.Body)
	first.Body.Close()
	post, _ := http.NewRequest("POST", address, strings.NewReader("order"))
	if key != "" {
		post.Header.Set("Idempotency-Key", key)
	}
	told := "an error"
	if answer, err := http.DefaultClient.Do(post); err == nil {
		told = answer.Status
		answer.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	fmt.Printf("Go, key %q: %d, %s\n", key, arrived.Load(), told)
}

func main() {
	ask("")
	ask("order-7")
}
GO
printf 'module example.com/ask\n\ngo 1.24\n' > go.mod
seen=$(java -cp 'lib/*:.' Ask; go run .)
echo "$seen"
[ "$seen" = 'HttpURLConnection, closed: 2
OkHttp, /408: 2
OkHttp, /503: 1
OkHttp, /503/0: 2
OkHttp, /503/1: 1
Go, key "": 1, an error
Go, key "order-7": 2, 200 OK' ]
