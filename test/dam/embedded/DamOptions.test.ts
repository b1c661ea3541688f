/** The names of an embedded dam's options: those of the file, told by the guide, and doing the same. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as ConfigFile from "../../../src/dam/config/ConfigFile.ts"
import { ConfigSchema } from "../../../src/dam/config/ConfigSchema.ts"
import * as Dam from "../../../src/dam/Dam.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as DamOptions from "../../../src/dam/embedded/DamOptions.ts"
import { knownBy } from "../../../src/dam/embedded/KnownHosts.ts"
import * as OptionNames from "../../../src/dam/embedded/OptionNames.ts"
import { defaultPace, receiverPace } from "../../../src/engine/pace/Gate.ts"
import * as Dispatcher from "../../../src/dam/work/Dispatcher.ts"
import * as RetryPolicy from "../../../src/step/RetryPolicy.ts"

const camel = (name: string) => name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())

/** Paths of names below names, as the guide writes them. */
const pathsOf = (names: object, at = ""): ReadonlyArray<string> =>
  Object.entries(names).flatMap(([name, below]) =>
    typeof below === "object" ? pathsOf(below, `${at}${name}.`) : [`${at}${name}`]
  )

/** What only a process that listens has. */
const ofTheServer = ["port", "host", "db", "databasePasswordFile", "keysFile", "backupDir", "allowedHosts"]
/** What only a program can say. */
const ofTheProgram = ["path", "masterKey", "executor", "clockEvery"]

const section = readFileSync(fileURLToPath(new URL("../../../docs/guide/dam.md", import.meta.url)), "utf8")
  .split("## Configure")[1]
  ?.split("\n## ")[0]

describe("the options of an embedded dam", () => {
  it("have the names of the file, in camelCase", () => {
    const file = Object.keys(ConfigSchema.fields).map(camel)
    assert.sameMembers([...file, ...ofTheProgram], [...Object.keys(OptionNames.names), ...ofTheServer])
    for (const [name, below] of Object.entries(OptionNames.names)) {
      if (typeof below !== "object") continue
      const written = name === "attempts" ? "attempts: { timout: 1 }" : `${name}: { timout: 1 }`
      assert.isTrue(Result.isFailure(ConfigFile.parse(written)), name)
      assert.match(String(DamOptions.nameProblem({ [name]: { nonsense: 1 } })), new RegExp(`^${name}\\.nonsense`))
    }
  })

  it("mean what the file means by them", () => {
    const file = Result.getOrThrow(
      ConfigFile.parse(`
pacing: { default: { rps: 5, max_concurrent: 3 }, receivers: { rps: 40 }, hosts: { api.example.com: { rps: 9, refusals: [529], used_up: [quota], lane: host } }, burst: 2, keys_per_host: 9, weights: { acme: 3 }, bounds: { max_rps: 50 } }
credentials: [X-Tenant]
retry: { max_retries: 7, unsafe: false, base: 1 second }
attempts: { timeout: 20 seconds, connect_timeout: 250 millis, patience_429: 1 hour, response_bytes: 1000 }
webhooks: { schedule: [0 seconds, 1 minute], timeout: 3 seconds, concurrency: 4, disable_after: { failures: 2, failing_for: 1 hour }, probe_every: 5 minutes, follow_redirects: true, redrive: true, l8: { default: prefer } }
notices: { urls: ["https://ops.example/"], events: [lane_held], thresholds: { endpoint_failures: 2, dead_letters: 3, lane_held: 1 minute, stored_bytes: 4, memory_bytes: 5 } }
retention: 2 days
text_search: on
drain: 1 second
admission: { queued_jobs: 10, customer_jobs: 7, schedules: 9, running_jobs: 5, stored_bytes: 100, memory_bytes: 200, file_bytes: 300 }
`)
    )
    const said = DamOptions.settle({
      pacing: {
        default: { rps: 5, maxConcurrent: 3 },
        receivers: { rps: 40 },
        hosts: { "api.example.com": { rps: 9, refusals: [529], usedUp: ["quota"], lane: "host" } },
        keysPerHost: 9,
        weights: { acme: 3 },
        burst: 2,
        bounds: { maxRps: 50 }
      },
      credentials: ["X-Tenant"],
      retry: { maxRetries: 7, unsafe: false, base: "1 second" },
      attempts: {
        timeout: "20 seconds",
        connectTimeout: Duration.millis(250),
        patience429: "1 hour",
        responseBytes: 1000
      },
      webhooks: {
        schedule: ["0 seconds", "1 minute"],
        timeout: "3 seconds",
        concurrency: 4,
        disableAfter: { failures: 2, failingFor: "1 hour" },
        probeEvery: "5 minutes",
        followRedirects: true,
        redrive: true,
        l8: { default: "prefer" }
      },
      notices: {
        urls: ["https://ops.example/"],
        events: ["lane_held"],
        thresholds: { endpointFailures: 2, deadLetters: 3, laneHeld: "1 minute", storedBytes: 4, memoryBytes: 5 }
      },
      retention: "2 days",
      textSearch: true,
      drain: "1 second",
      admission: {
        queuedJobs: 10,
        customerJobs: 7,
        schedules: 9,
        runningJobs: 5,
        storedBytes: 100,
        memoryBytes: 200,
        fileBytes: 300
      }
    })
    assert.deepStrictEqual<unknown>(said, file.dam)
    assert.deepStrictEqual(said.unsetPolicy?.retryCodes, RetryPolicy.durable.retryCodes)
  })

  it("are refused by name where they are misspelt, however deep they stand", () => {
    const problems = [
      { pacing: { default: { rsp: 1 } } },
      { pacing: { hosts: { "api.example.com": { refusal: [529] } } } },
      { pacing: { bounds: { maxRsp: 1 } } },
      { callLimits: { tokens: { rates: 5 } } },
      { webhooks: { disableAfter: { failure: 1 } } },
      { webhooks: { l8: { defaults: "prefer" } } },
      { limits: { bodyByte: 1 } },
      { signer: {} }
    ].map((options) => String(DamOptions.nameProblem(options)).split(":")[0])
    assert.deepStrictEqual(problems, [
      "pacing.default.rsp",
      "pacing.hosts.api.example.com.refusal",
      "pacing.bounds.maxRsp",
      "callLimits.tokens.rates",
      "webhooks.disableAfter.failure",
      "webhooks.l8.defaults",
      "limits.bodyByte",
      "signer"
    ])
  })

  it("are refused by name where a notice goes where no webhook may", () => {
    const notices = { urls: ["https://ops.example.com/", "http://10.0.0.7/"] }
    const problem = /^notices\.urls\[1\]: DeniedAddress: 10\.0\.0\.7 /
    const closed = { path: ":memory:", notices, egress: { allowPrivate: false } }
    assert.throws(() => Dam.embedded(closed), problem)
    assert.match(Effect.runSync(Effect.flip(Effect.scoped(Dam.make(closed)))).message, problem)
    assert.isUndefined(DamOptions.noticeProblem({ notices }, EgressPolicy.open))
    assert.isUndefined(DamOptions.noticeProblem({}, EgressPolicy.publicOnly))
  })

  it("are refused by name where a limit cannot be", () => {
    const problems = [
      [{ "a b": { rate: 1 } }, /^callLimits\.a b: Expected the name of a limit/],
      [{ tokens: {} }, /^callLimits\.tokens\.rate: Expected rate, concurrency or both/],
      [{ tokens: { rate: 1, per: 0 } }, /^callLimits\.tokens\.per: Expected a length of time/],
      [{ tokens: { rate: 1, weights: { acme: -1 } } }, /^callLimits\.tokens\.weights\.acme: Expected a number above 0/]
    ] as const
    for (const [callLimits, problem] of problems) {
      assert.throws(() => Dam.embedded({ path: ":memory:", callLimits }), problem)
      assert.match(
        Effect.runSync(Effect.flip(Effect.scoped(Dam.make({ path: ":memory:", callLimits })))).message,
        problem
      )
    }
    const settled = DamOptions.settle({ callLimits: { tokens: { rate: 90, per: "1 minute", concurrency: 2 } } })
    assert.deepStrictEqual(settled.callLimits, {
      tokens: { rate: 90, per: 60_000, burst: 90, concurrency: 2, settle: undefined, weights: {} }
    })
  })

  it("leave out what they do not say, and let earlier names be", () => {
    assert.deepStrictEqual(DamOptions.settle({}), {})
    const before: object = {
      path: "a.db",
      attemptTimeout: Duration.seconds(1),
      maxQueued: 3,
      pacing: { pace: { rps: 1 } }
    }
    assert.isUndefined(DamOptions.nameProblem(before))
    assert.strictEqual(DamOptions.settle(before).pacing?.pace?.rps, 1)
    assert.isUndefined(DamOptions.nameProblem({ retryUnsafe: false, webhookRedirects: true, clockEvery: 1 }))
    assert.isUndefined(DamOptions.nameProblem({ masterKey: Redacted.make("k"), limits: { bodyBytes: 1 } }))
  })

  it("know the hosts of presets, and no receiver's", () => {
    const own = [{ name: "mine", hosts: ["api.example.com"] }]
    const { lanes, rules } = knownBy({ off: ["stripe"], own })
    assert.isDefined(rules("api.github.com:443"))
    assert.strictEqual(rules("api.github.com:443"), rules("api.github.com:443"))
    assert.isDefined(rules("api.example.com:8443"))
    for (const lane of ["api.stripe.com:443", "webhook@api.github.com:443", "example.com:443"]) {
      assert.isUndefined(rules(lane), lane)
      assert.isUndefined(lanes(lane), lane)
    }
    assert.strictEqual(lanes("api.github.com:443")?.by, "preset github")
    assert.deepStrictEqual(lanes("api.example.com:8443")?.parts, ["host"])
    assert.strictEqual(
      DamOptions.nameProblem({ pacing: { hosts: { a: { lane: ["nothing"] } } } })?.split(":")[0],
      'pacing.hosts["a"].lane[0]'
    )
    assert.isUndefined(DamOptions.nameProblem({ pacing: { hosts: { a: { lane: ["credential"] } } } }))
    assert.isUndefined(DamOptions.nameProblem({ presets: { off: undefined, own } }))
    assert.strictEqual(
      DamOptions.nameProblem({ presets: { own: [{ name: "mine", hosts: ["https://a"] }] } })?.split(":")[0],
      "presets.own[0].hosts[0]"
    )
  })

  it("stand in the guide, each with its default", () => {
    const rows: ReadonlyMap<string, string> = new Map(
      [...(section ?? "").matchAll(/^\| `([\w.*]+)` \| (.+?) \| (.+) \|$/gm)].map(([, name = "", unset = ""]) => [
        name,
        unset
      ])
    )
    assert.sameMembers([...rows.keys()], [...pathsOf(OptionNames.names)])
    for (const [name, unset] of rows) assert.isNotEmpty(unset.trim(), name)
    // numbers that stand in the sources
    assert.strictEqual(rows.get("pacing.default.rps"), `${defaultPace.rps}`)
    assert.strictEqual(rows.get("pacing.receivers.maxConcurrent"), `${receiverPace.maxConcurrent}`)
    assert.include(rows.get("admission.queuedJobs"), "5,000,000")
    assert.include(rows.get("retry.maxRetries"), `${RetryPolicy.durable.maxRetries}`)
    assert.strictEqual(rows.get("retry.retryCodes"), RetryPolicy.durable.retryCodes.join(", "))
    assert.strictEqual(rows.get("retry.unsafe"), `${Dispatcher.defaults.retryUnsafe}`)
    assert.strictEqual(
      rows.get("clockEvery"),
      Duration.format(Dispatcher.defaults.clockEvery).replace("1s", "1 second")
    )
  })
})
