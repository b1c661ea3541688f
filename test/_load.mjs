import net from "node:net"
const port = 18099, conns = 64, seconds = Number(process.argv[2] ?? 5)
let done = 0, bad = 0, n = 0, stop = false
const lat = []
const run = String(Date.now())
const note = "x".repeat(300)
for (let i = 0; i < conns; i++) {
  const s = net.connect(port, "127.0.0.1"); s.setNoDelay()
  let t
  const send = () => { const body = JSON.stringify({ url: "https://api.example.com/orders", method: "POST", headers: { "content-type": "application/json", authorization: "Bearer abc" }, body: JSON.stringify({ order: run + n++, note }), webhooks: [{ url: "https://hooks.example.com/x" }] }); t = performance.now(); s.write(`POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`) }
  let buf = ""
  s.on("data", (d) => { buf += d.latin1Slice(); const h = buf.indexOf("\r\n\r\n"); if (h < 0) return; const len = Number(/content-length: (\d+)/i.exec(buf)[1]); if (buf.length < h + 4 + len) return; if (!buf.startsWith("HTTP/1.1 201")) { bad++; if (bad < 3) console.log(buf) } done++; lat.push(performance.now() - t); buf = buf.slice(h + 4 + len); if (!stop) send() })
  s.on("connect", send)
}
setTimeout(() => { done = 0; lat.length = 0 }, 2000)
setTimeout(() => { stop = true; lat.sort((a, b) => a - b); console.log(Math.round(done / seconds), "req/s bad", bad, "p50", lat[lat.length >> 1].toFixed(2), "p99", lat[Math.floor(lat.length * .99)].toFixed(2)); process.exit() }, 2000 + seconds * 1000)
