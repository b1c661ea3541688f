import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { inspect } from "node:util"
import * as ConfigFile from "../../../src/dam/config/ConfigFile.ts"
import * as Schedule from "../../../src/dam/deliver/Schedule.ts"
import * as Limits from "../../../src/dam/intake/Limits.ts"
import * as RetryPolicy from "../../../src/step/RetryPolicy.ts"

const parse = (source: string) => Result.getOrThrow(ConfigFile.parse(source))

const problems = (source: string) => {
  const parsed = ConfigFile.parse(source)
  assert.isTrue(Result.isFailure(parsed), "it was accepted")
  return Result.isFailure(parsed) ? parsed.failure.problems.map(({ path, problem }) => `${path}: ${problem}`) : []
}

describe("a configuration file", () => {
  it("may say nothing", () => {
    for (const source of ["", "# nothing yet\n", "{}"]) {
      const { dam, db, egress, http, keysFile } = parse(source)
      assert.deepStrictEqual({ db, http, keysFile }, { db: undefined, http: {}, keysFile: undefined })
      assert.deepStrictEqual(egress, { allowPrivate: undefined, allowEgress: undefined })
      assert.deepStrictEqual(Object.keys(dam), ["pacing", "deliveries"])
      assert.deepStrictEqual(dam.deliveries, Schedule.defaults)
    }
  })

  it("says everything a dam can be told", () => {
    const file = parse(`
port: 9000
host: 0.0.0.0
db: /var/lib/dam.db
keys_file: keys.txt
allowed_hosts: [dam.internal]
drain: 30 seconds
text_search: off
pacing:
  default: { rps: 5, max_concurrent: 4 }
  receivers: { rps: 50 }
  burst: 3
  bounds: { max_rps: 50 }
  hosts:
    api.example.com: { rps: 0.5, refusals: [403, 529], used_up: [insufficient_quota], lane: [credential, { name: model, body: model }] }
    http://localhost: { max_concurrent: 1 }
    "[::1]:8080": { rps: 1 }
regions:
  iad: direct
  lax: { proxy: "http://ann:s%3Acret@proxy.corp:3128" }
  ord: { dam: "https://dam.example.com", api_key: key-of-acme }
retry: { max_retries: 7, retry_codes: [503], base: 1 second }
attempts: { timeout: 20 seconds, connect_timeout: 250 millis, patience_429: 1 hour, response_bytes: 1000 }
webhooks:
  schedule: [0 seconds, 1.5 minutes]
  timeout: 3 seconds
  disable_after: { failures: 5, failing_for: 2 hours }
  probe_every: 10 minutes
  redrive: true
  https_only: true
retention: 2 days
egress:
  allow_private: true
  allow: [billing.corp, 10.1.0.0/16]
admission: { queued_jobs: 10, customer_jobs: 7, schedules: 9, running_jobs: 5, stored_bytes: 1000000 }
limits: { body_bytes: 2000, job_headers: 3 }
`)
    assert.strictEqual(file.db, "/var/lib/dam.db")
    assert.strictEqual(file.keysFile, "keys.txt")
    const { regions, ...dam } = file.dam
    assert.deepStrictEqual(regions, {
      iad: "direct",
      lax: { proxy: Redacted.make("http://ann:s%3Acret@proxy.corp:3128") },
      ord: { dam: "https://dam.example.com", apiKey: Redacted.make("key-of-acme") }
    })
    assert.notMatch(inspect(file, { depth: 9 }), /cret|key-of-acme/)
    assert.deepStrictEqual(file.egress, { allowPrivate: true, allowEgress: ["billing.corp", "10.1.0.0/16"] })
    assert.deepStrictEqual(file.http, {
      host: "0.0.0.0",
      port: 9000,
      allowedHosts: ["dam.internal"],
      httpsWebhooks: true
    })
    assert.deepStrictEqual(dam, {
      pacing: {
        pace: { rps: 5, maxConcurrent: 4 },
        receivers: { rps: 50 },
        hosts: {
          "api.example.com:443": {
            rps: 0.5,
            refusals: [403, 529],
            usedUp: ["insufficient_quota"],
            lane: ["credential", { name: "model", body: "model" }]
          },
          "localhost:80": { maxConcurrent: 1 },
          "[::1]:8080": { rps: 1 }
        },
        burst: 3,
        bounds: { minRps: 0.01, maxRps: 50, minConcurrent: 1, maxConcurrent: 100 }
      },
      deliveries: {
        schedule: [Duration.zero, Duration.seconds(90)],
        timeoutMillis: 3000,
        concurrency: Schedule.defaults.concurrency,
        endpoints: { failures: 5, failingMillis: 7_200_000, probeMillis: 600_000 },
        redrive: true
      },
      unsetPolicy: { ...RetryPolicy.defaults, maxRetries: 7, retryCodes: [503], base: Duration.seconds(1) },
      attemptTimeout: Duration.seconds(20),
      connectTimeout: Duration.millis(250),
      patience429: Duration.hours(1),
      maxResponseBytes: 1000,
      retention: Duration.days(2),
      textSearch: false,
      drain: Duration.seconds(30),
      limits: { bodyBytes: 2000, jobHeaders: 3 },
      maxQueued: 10,
      maxCustomerJobs: 7,
      maxSchedules: 9,
      maxRunning: 5,
      maxStoredBytes: 1_000_000
    })
  })

  it("says what calls draw on together", () => {
    const { callLimits } = parse(`
call_limits:
  openai-tokens: { rate: 90000, per: 1 minute, burst: 4000, settle: { json: usage.total_tokens }, weights: { acme: 3 } }
  browsers: { concurrency: 4 }
`).dam
    assert.deepStrictEqual(callLimits, {
      "openai-tokens": {
        rate: 90_000,
        per: Duration.minutes(1),
        burst: 4000,
        settle: { json: "usage.total_tokens" },
        weights: { acme: 3 }
      },
      browsers: { concurrency: 4 }
    })
    const bad = (source: string) => problems(`call_limits: { ${source} }`)
    assert.match(bad("a b: { rate: 1 }")[0] ?? "", /^call_limits\["a b"\]: Expected the name of a limit/)
    assert.deepStrictEqual(bad("tokens: {}"), ["call_limits.tokens.rate: Expected rate, concurrency or both"])
    assert.deepStrictEqual(bad("tokens: { rate: 0 }"), ["call_limits.tokens.rate: Expected a number above 0"])
    assert.deepStrictEqual(bad("tokens: { rates: 1 }"), ["call_limits.tokens.rates: there is no such setting"])
    assert.match(bad("tokens: { rate: 1, per: soon }")[0] ?? "", /^call_limits\.tokens\.per: Expected a length of time/)
    assert.match(bad("tokens: { rate: 1, settle: { json: a..b } }")[0] ?? "", /^call_limits\.tokens\.settle: Expected/)
    assert.deepStrictEqual(bad("tokens: { rate: 1, weights: { acme: 0 } }"), [
      "call_limits.tokens.weights.acme: Expected a number above 0"
    ])
  })

  it("says which presets hold, in the form that ours have", () => {
    const own = [{ name: "mine", hosts: ["*.example.com"], too_many: [{ status: [420], wait_seconds: 5 }] }]
    const source = `presets: { off: [slack, x], own: ${JSON.stringify(own)} }`
    assert.deepStrictEqual(parse(source).dam.presets, { off: ["slack", "x"], own })
    assert.isUndefined(parse("").dam.presets)
    assert.deepStrictEqual(problems("presets: { off: [slak] }"), ["presets.off[0]: There is no preset slak"])
    const [problem] = problems(`presets: { own: [{ name: mine, hosts: [a.example], cost: [{ header: X-Cost }] }] }`)
    assert.strictEqual(problem, "presets.own[0].cost[0].header: Expected a header name in lower case")
  })

  it("says whether calls that change something are made again", () => {
    assert.strictEqual(parse("retry: { unsafe: false }").dam.retryUnsafe, false)
    assert.deepStrictEqual(parse("retry: { unsafe: false }").dam.unsetPolicy, RetryPolicy.durable)
    assert.isUndefined(parse("retry: { max_retries: 1 }").dam.retryUnsafe)
  })

  it("says where L8 is spoken; a bare off is a mode, not a boolean", () => {
    assert.deepStrictEqual(
      parse("webhooks: { l8: { default: prefer, hosts: { hooks.example.com: require, 'localhost:1': off } } }").dam.l8,
      { default: "prefer", hosts: { "hooks.example.com": "require", "localhost:1": "off" } }
    )
    assert.deepStrictEqual(parse("webhooks: { l8: { default: off } }").dam.l8, { default: "off" })
    assert.isUndefined(parse("webhooks: {}").dam.l8)
  })

  it("is what the guide shows", () => {
    const guide = readFileSync(new URL("../../../docs/guide/dam.md", import.meta.url), "utf8")
    const [, source = ""] = /```yaml\n(.*?)```/s.exec(guide) ?? []
    assert.deepStrictEqual(Object.keys(parse(source).dam.regions ?? {}), ["iad", "lax", "ord"])
  })

  it("knows every limit that health reports, by the same name", () => {
    for (const [place, name] of Object.keys(Limits.toJson(Limits.defaults)).entries()) {
      assert.deepStrictEqual(parse(`limits: { ${name}: 77 }`).dam.limits, {
        [Object.keys(Limits.defaults)[place] ?? ""]: 77
      })
    }
    assert.deepStrictEqual(parse("limits: { permits: 0 }").dam.limits, { permits: 0 })
  })
})

describe("a configuration file is refused", () => {
  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    ["it is no YAML", "pacing: [", [": Expected ',' at flow offset 1"]],
    ["it is a list", "- port: 1", [": Expected object"]],
    ["a name is misspelt", "prot: 80", ["prot: there is no such setting"]],
    ["a nested name is misspelt", "pacing: { defaults: {} }", ["pacing.defaults: there is no such setting"]],
    ["a port is none", "port: 70000", ["port: Expected a port between 0 and 65535"]],
    ["a rate is zero", "pacing: { default: { rps: 0 } }", ["pacing.default.rps: Expected a number above 0"]],
    [
      "a host is none",
      "pacing: { hosts: { 'api.example.com/v1': { rps: 1 } } }",
      ['pacing.hosts["api.example.com/v1"]: Expected a host, a host:port or an origin as the name']
    ],
    [
      "a host is named twice",
      "pacing: { hosts: { api.example.com: { rps: 1 }, 'https://API.example.com': { rps: 2 } } }",
      ['pacing.hosts["https://API.example.com"]: Expected each host once; api.example.com is the same']
    ],
    [
      "bounds are the wrong way round",
      "pacing: { bounds: { min_rps: 5, max_rps: 1 } }",
      ["pacing.bounds.max_rps: Expected at least min_rps"]
    ],
    [
      "there is no such mode of L8",
      "webhooks: { l8: { default: always } }",
      ['webhooks.l8.default: Expected "off" | "prefer" | "require"']
    ],
    [
      "L8 is asked of a host twice",
      "webhooks: { l8: { hosts: { a.example: off, 'a.example:443': require } } }",
      ['webhooks.l8.hosts["a.example:443"]: Expected each host once; a.example is the same']
    ],
    ["a region has no name", "regions: { '': direct }", ['regions[""]: there is no such setting']],
    [
      "a region leaves in a way that there is not",
      "regions: { iad: 'http://ann:s3cret@proxy.corp:3128' }",
      ["regions.iad: Expected direct, { proxy } or { dam, api_key }"]
    ],
    [
      "a region leaves in two ways",
      "regions: { iad: { proxy: 'http://p:1', dam: 'http://d' } }",
      ["regions.iad: Expected direct, { proxy } or { dam, api_key }"]
    ],
    ["a region says nothing", "regions: { iad: {} }", ["regions.iad: Expected direct, { proxy } or { dam, api_key }"]],
    [
      "a proxy is no URL",
      "regions: { iad: { proxy: 'ann:s3cret@proxy.corp' } }",
      ["regions.iad.proxy: Expected a proxy as http://host:port or http://user:password@host:port"]
    ],
    [
      "a proxy speaks something else",
      "regions: { iad: { proxy: 'socks5://ann:s3cret@proxy.corp' } }",
      ["regions.iad.proxy: Expected a proxy as http://host:port or http://user:password@host:port"]
    ],
    [
      "a proxy's password is not encoded",
      "regions: { iad: { proxy: 'http://ann:s3cret%zz@proxy.corp' } }",
      ["regions.iad.proxy: Expected a proxy as http://host:port or http://user:password@host:port"]
    ],
    [
      "a dam has a path",
      "regions: { iad: { dam: 'https://dam.corp/api?s3cret', api_key: k } }",
      ["regions.iad.dam: Expected the origin of another dam, such as https://dam.example.com"]
    ],
    [
      "a dam's key is missing",
      "regions: { iad: { dam: 'https://dam.corp' } }",
      ["regions.iad.api_key: Expected an API key: visible ASCII characters without spaces"]
    ],
    [
      "a dam's key cannot be sent",
      "regions: { iad: { dam: 'https://dam.corp', api_key: 's3cret key' } }",
      ["regions.iad.api_key: Expected an API key: visible ASCII characters without spaces"]
    ],
    [
      "a dam's key is misspelt",
      "regions: { iad: { dam: 'https://dam.corp', apiKey: s3cret } }",
      ["regions.iad.apiKey: there is no such setting"]
    ],
    ["a length of time has no unit", "retention: 24", ["retention: Expected string"]],
    [
      "a length of time is written in another way",
      "webhooks: { schedule: [5s] }",
      ['webhooks.schedule[0]: Expected a length of time such as "15 seconds", "5 minutes" or "250 millis"']
    ],
    [
      "a time-out is zero",
      "webhooks: { timeout: 0 seconds }",
      ["webhooks.timeout: Expected a length of time above zero"]
    ],
    ["a limit is unknown", "limits: { body_byte: 1 }", ["limits.body_byte: there is no such setting"]],
    [
      "there are fewer permits than none",
      "limits: { permits: -1 }",
      ["limits.permits: Expected a whole number of at least 0"]
    ],
    ["a limit is zero", "limits: { body_bytes: 0 }", ["limits.body_bytes: Expected a whole number of at least 1"]],
    [
      "several things are wrong, each told",
      "port: x\ndb: ''\nretry: { max_retries: -1 }",
      [
        "port: Expected number",
        "db: Expected a text that is not empty",
        "retry.max_retries: Expected a whole number of at least 0"
      ]
    ]
  ]
  for (const [because, source, expected] of cases) {
    it(`because ${because}`, () => assert.deepStrictEqual(problems(source), expected))
  }
})
