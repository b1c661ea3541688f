import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import * as Result from "effect/Result"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import { admit } from "../../../src/dam/egress/Resolver.ts"

const dns = Dns.layerStatic({
  hosts: {
    "api.example.com": ["93.184.215.14"],
    "ten.example.com": ["10.1.2.3"],
    "mixed.example.com": ["93.184.215.14", "10.0.0.7"],
    "loop.example.com": ["127.0.0.1", "::1"],
    "meta.example.com": ["169.254.169.254"],
    localhost: ["::1", "127.0.0.1"],
    db: ["172.18.0.3"],
    "queue.internal": ["192.168.7.7"],
    "metadata.google.internal": ["169.254.169.254"],
    "public.corp": ["93.184.215.14"],
    "half.corp": ["10.0.0.1", "93.184.215.14"]
  }
})

const policies: { readonly [name: string]: EgressPolicy.EgressOptions } = {
  "nothing open": {},
  "private addresses": { allowPrivate: true },
  "the host db": { allowEgress: ["db"] },
  "the host public.corp": { allowEgress: ["Public.CORP."] },
  "the host meta.example.com": { allowEgress: ["meta.example.com"] },
  "the range 10.1.0.0/16": { allowEgress: ["10.1.0.0/16"] },
  "the range 169.254.169.254/32": { allowEgress: ["169.254.169.254/32"] },
  "the address ::1": { allowEgress: ["::1"] }
}

const rows: ReadonlyArray<readonly [policy: string, expected: string, urls: ReadonlyArray<string>]> = [
  ["nothing open", "PortNotAllowed", ["http://10.0.0.1:9000/", "http://localhost:9000/", "http://api.example.com:0/"]],
  [
    "nothing open",
    "NameNotAllowed",
    ["http://db/", "http://queue.internal/", "http://public.corp/", "http://localhost./"]
  ],
  [
    "nothing open",
    "NameNotAllowed",
    ["http://a.test/", "http://b.home.arpa/", "http://home.arpa/", "http://c.onion/", "http://d.lan/"]
  ],
  ["nothing open", "NameNotResolved", ["http://a.testing/", "http://mylocal.example/", "http://localhost.example/"]],

  [
    "private addresses",
    "allow",
    ["http://10.0.0.1/", "http://127.0.0.1:9000/", "http://[::1]:1/", "http://[fd12::1]:9000/"]
  ],
  [
    "private addresses",
    "allow",
    ["http://localhost:3000/", "http://db:5432/", "http://queue.internal/", "http://ten.example.com:9/"]
  ],
  [
    "private addresses",
    "allow",
    ["https://api.example.com/", "http://mixed.example.com/", "http://loop.example.com:65535/"]
  ],
  ["private addresses", "DeniedAddress", ["http://169.254.169.254/", "http://meta.example.com/", "http://0.0.0.0/"]],
  [
    "private addresses",
    "DeniedAddress",
    ["http://100.100.100.200/", "http://[fd00:ec2::254]/", "http://[fd20:ce::254]/", "http://[::]/"]
  ],
  ["private addresses", "EmbeddedIPv4", ["http://[::ffff:7f00:1]/", "http://[64:ff9b::a00:1]/"]],
  [
    "private addresses",
    "PortNotAllowed",
    ["http://8.8.8.8:9000/", "http://api.example.com:9000/", "http://mixed.example.com:9000/"]
  ],
  [
    "private addresses",
    "NameNotAllowed",
    ["http://public.corp/", "http://half.corp/", "http://metadata.google.internal/"]
  ],
  ["private addresses", "NonCanonicalHost", ["http://127.1/", "http://0x7f.0.0.1/"]],
  ["private addresses", "NameNotResolved", ["http://nobody/"]],

  ["the host db", "allow", ["http://db/", "http://DB.:5432/", "https://api.example.com/"]],
  ["the host db", "NameNotAllowed", ["http://localhost/", "http://a.db.internal/"]],
  ["the host db", "DeniedAddress", ["http://172.18.0.3/", "http://ten.example.com/"]],
  ["the host public.corp", "allow", ["http://public.corp:9000/"]],
  ["the host public.corp", "NameNotAllowed", ["http://a.public.corp/"]],
  ["the host meta.example.com", "DeniedAddress", ["http://meta.example.com/"]],

  ["the range 10.1.0.0/16", "allow", ["http://10.1.255.255:9000/", "http://ten.example.com/"]],
  ["the range 10.1.0.0/16", "DeniedAddress", ["http://10.2.0.0/", "http://mixed.example.com/"]],
  ["the range 169.254.169.254/32", "allow", ["http://169.254.169.254/", "http://metadata.google.internal/"]],
  ["the range 169.254.169.254/32", "DeniedAddress", ["http://169.254.169.253/"]],
  ["the address ::1", "allow", ["http://[::1]:8000/"]],
  ["the address ::1", "NameNotAllowed", ["http://localhost/"]]
]

describe("what an operator opens", () => {
  const cases = rows.flatMap(([policy, expected, urls]) => urls.map((url) => ({ policy, expected, url })))

  it.effect.each(cases)("with $policy, $url: $expected", ({ policy, expected, url }) =>
    Effect.gen(function* () {
      const made = yield* Effect.fromResult(EgressPolicy.make(policies[policy]))
      const verdict = yield* admit(made, url).pipe(
        Effect.match({ onFailure: (refusal) => ("reason" in refusal ? refusal.reason : ""), onSuccess: () => "allow" })
      )
      assert.strictEqual(verdict, expected)
    }).pipe(Effect.provide(dns))
  )

  it.effect.each([
    "http://127.0.0.1:3000/",
    "http://169.254.169.254/",
    "http://[::ffff:7f00:1]:1/",
    "http://metadata.google.internal/",
    "http://half.corp:9/",
    "https://api.example.com/"
  ])("an engine in process calls %s", (url) => admit(EgressPolicy.open, url).pipe(Effect.provide(dns)))
})

describe("options of the egress policy", () => {
  it.each([
    "",
    "10.0.0.1/8",
    "10.0.0.0/33",
    "127.1",
    "0x7f000001",
    "db:8080",
    "http://db",
    "a b",
    "-a.example.com",
    "fe80::1%eth0",
    "*.example.com"
  ])("refuse the entry %j, repeating it", (entry) => {
    const made = EgressPolicy.make({ allowEgress: ["db", entry] })
    assert.isTrue(Result.isFailure(made))
    if (Result.isFailure(made)) {
      assert.strictEqual(made.failure.entry, entry)
      assert.match(made.failure.message, /expected a host name, an address, or a range such as 10\.1\.0\.0\/16$/)
    }
  })

  it("say what they open", () => {
    const line = (options: EgressPolicy.EgressOptions) =>
      EgressPolicy.describe(Result.getOrThrow(EgressPolicy.make(options)))
    assert.strictEqual(line({}), "public addresses")
    assert.strictEqual(
      line({ allowPrivate: true, allowEgress: ["100.64.0.0/10", "Billing.Corp", "::1"] }),
      "public addresses, private addresses, billing.corp, 100.64.0.0/10, ::1/128"
    )
    assert.strictEqual(EgressPolicy.describe(EgressPolicy.open), "every address")
  })

  it("left out, open nothing", () => {
    assert.deepStrictEqual(EgressPolicy.make(), Result.succeed(EgressPolicy.publicOnly))
  })
})
