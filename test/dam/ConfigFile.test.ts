import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as ConfigFile from "../../src/dam/ConfigFile.ts"
import * as Deliveries from "../../src/dam/Deliveries.ts"
import * as Limits from "../../src/dam/Limits.ts"
import * as RetryPolicy from "../../src/step/RetryPolicy.ts"

const parse = (source: string) => Result.getOrThrow(ConfigFile.parse(source))

const problems = (source: string) => {
  const parsed = ConfigFile.parse(source)
  assert.isTrue(Result.isFailure(parsed), "it was accepted")
  return Result.isFailure(parsed) ? parsed.failure.problems.map(({ path, problem }) => `${path}: ${problem}`) : []
}

describe("a configuration file", () => {
  it("may say nothing", () => {
    for (const source of ["", "# nothing yet\n", "{}"]) {
      const { dam, db, egress, http, keysFile, regions } = parse(source)
      assert.deepStrictEqual(
        { db, http, keysFile, regions },
        { db: undefined, http: {}, keysFile: undefined, regions: [] }
      )
      assert.deepStrictEqual(egress, { allowPrivate: undefined, allowEgress: undefined })
      assert.deepStrictEqual(Object.keys(dam), ["pacing", "deliveries"])
      assert.deepStrictEqual(dam.deliveries, Deliveries.defaults)
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
pacing:
  default: { rps: 5, max_concurrent: 4 }
  burst: 3
  bounds: { max_rps: 50 }
  hosts:
    api.example.com: { rps: 0.5 }
    http://localhost: { max_concurrent: 1 }
    "[::1]:8080": { rps: 1 }
regions: { iad: direct, lax: direct }
retry: { max_retries: 7, retry_codes: [503], base: 1 second }
attempts: { timeout: 20 seconds, connect_timeout: 250 millis, patience_429: 1 hour, response_bytes: 1000 }
webhooks:
  schedule: [0 seconds, 1.5 minutes]
  timeout: 3 seconds
  https_only: true
retention: 2 days
egress:
  allow_private: true
  allow: [billing.corp, 10.1.0.0/16]
admission: { queued_jobs: 10, running_jobs: 5, stored_bytes: 1000000 }
limits: { body_bytes: 2000, job_headers: 3 }
`)
    assert.strictEqual(file.db, "/var/lib/dam.db")
    assert.strictEqual(file.keysFile, "keys.txt")
    assert.deepStrictEqual(file.regions, ["iad", "lax"])
    assert.deepStrictEqual(file.egress, { allowPrivate: true, allowEgress: ["billing.corp", "10.1.0.0/16"] })
    assert.deepStrictEqual(file.http, {
      host: "0.0.0.0",
      port: 9000,
      allowedHosts: ["dam.internal"],
      httpsWebhooks: true,
      drain: Duration.seconds(30),
      limits: { bodyBytes: 2000, jobHeaders: 3 }
    })
    assert.deepStrictEqual(file.dam, {
      pacing: {
        pace: { rps: 5, maxConcurrent: 4 },
        hosts: {
          "api.example.com:443": { rps: 0.5 },
          "localhost:80": { maxConcurrent: 1 },
          "[::1]:8080": { rps: 1 }
        },
        burst: 3,
        bounds: { minRps: 0.01, maxRps: 50, minConcurrent: 1, maxConcurrent: 100 }
      },
      deliveries: {
        schedule: [Duration.zero, Duration.seconds(90)],
        timeoutMillis: 3000,
        concurrency: Deliveries.defaults.concurrency
      },
      unsetPolicy: { ...RetryPolicy.defaults, maxRetries: 7, retryCodes: [503], base: Duration.seconds(1) },
      attemptTimeout: Duration.seconds(20),
      connectTimeout: Duration.millis(250),
      patience429: Duration.hours(1),
      maxResponseBytes: 1000,
      retention: Duration.days(2),
      drain: Duration.seconds(30),
      maxQueued: 10,
      maxRunning: 5,
      maxStoredBytes: 1_000_000
    })
  })

  it("knows every limit that health reports, by the same name", () => {
    for (const [place, name] of Object.keys(Limits.toJson(Limits.defaults)).entries()) {
      assert.deepStrictEqual(parse(`limits: { ${name}: 77 }`).http.limits, {
        [Object.keys(Limits.defaults)[place] ?? ""]: 77
      })
    }
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
      "a region leaves through what is not supported",
      "regions: { iad: 'http://proxy.example.com:3128' }",
      [
        'regions.iad: Expected "direct", the only egress this version has; a region cannot leave through "http://proxy.example.com:3128" yet'
      ]
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
