import * as Host from "effect/net/Host"
import * as NetAddress from "effect/net/NetAddress"
import * as Effect from "effect/Effect"
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as EP from "../src/dam/EgressPolicy.ts"
import * as D from "../src/dam/EgressDoor.ts"
import { checkUrl } from "../src/dam/EgressUrl.ts"
const bench = (n: string, f: () => unknown) => { for (let i = 0; i < 2e4; i++) f(); let b = 1e9; for (let r = 0; r < 7; r++) { const t = performance.now(); for (let i = 0; i < 2e4; i++) f(); b = Math.min(b, (performance.now() - t) / 2e4 * 1e3) } console.log(n, b.toFixed(2), "us") }
const u = "https://api.example.com/v1/orders"
const UNFIT = /[\x00-\x1f\x7f-\x9f\s\\]/
const WRITTEN = /^(?<scheme>[a-z][a-z0-9+.-]*):(?:\/\/(?<authority>[^/?#]*))?/i
bench("URL.parse", () => URL.parse(u))
bench("URL.parse+href+hostname", () => { const x = URL.parse(u)!; return x.href + x.hostname + x.port })
bench("unfit", () => UNFIT.test(u))
bench("wf", () => u.isWellFormed())
bench("written", () => WRITTEN.exec(u)?.groups)
bench("ipFromString fail", () => NetAddress.ipFromString("api.example.com"))
bench("isDomain", () => Host.isDomainName("api.example.com"))
bench("checkUrl name", () => checkUrl(EP.publicOnly, u))
bench("checkUrl literal", () => checkUrl(EP.open, "http://127.0.0.1:3000/v1/orders"))
await Effect.runPromise(Effect.gen(function* () {
  const door = yield* D.make({ ...EP.publicOnly, allowPrivate: true })
  for (const u of ["http://127.0.0.1:3000/x", "http://localhost:3000/x", "http://127.0.0.1:3000/x", "http://localhost:3000/x"]) {
    const t = performance.now()
    for (let i = 0; i < 20000; i++) yield* door.admit(u)
    console.log(u, ((performance.now() - t) / 20000 * 1e3).toFixed(1), "us per admit")
  }
}).pipe(Effect.provide(NodeDns.layer)))
