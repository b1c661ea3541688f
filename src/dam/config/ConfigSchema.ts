/**
 * What may stand in the dam's configuration file: names, units and bounds. Expectations are written to be read after
 * "Expected".
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { LaneChoice } from "../../presets/Preset.ts"
import { Options } from "../../presets/Presets.ts"
import * as Fields from "../../step/Fields.ts"
import * as Region from "../egress/Region.ts"
import * as Limits from "../intake/Limits.ts"
import { canonicalLane } from "../job/LaneName.ts"
import * as LimitOptions from "../lane/LimitOptions.ts"
import { noticeEvents } from "../observe/Notice.ts"
import { modes } from "../l8/L8.ts"

const optional = Schema.optionalKey

const text = (expected: string, holds: (value: string) => boolean) =>
  Schema.String.check(Schema.makeFilter(holds, { expected }))

const number = (expected: string, holds: (value: number) => boolean) =>
  Schema.Number.check(Schema.makeFilter(holds, { expected }))

const some = text("a text that is not empty", (value) => value.trim() !== "")

const whole = (least: number) =>
  number(`a whole number of at least ${least}`, (value) => Number.isSafeInteger(value) && value >= least)

const rate = number("a number above 0", (value) => Number.isFinite(value) && value > 0)

const span = (expected: string, pattern: RegExp) =>
  text(expected, (value) => pattern.test(value)).pipe(Schema.decodeTo(Schema.DurationFromString))

/** A length of time as `15 seconds`, `1.5 hours`, `250 millis`. */
const Span = span(
  'a length of time such as "15 seconds", "5 minutes" or "250 millis"',
  /^\d+(?:\.\d+)? (?:millis|seconds?|minutes?|hours?|days?)$/
)

const Lasting = Span.check(
  Schema.makeFilter((duration: Duration.Duration) => Duration.isGreaterThan(duration, Duration.zero), {
    expected: "a length of time above zero"
  })
)

const Pace = Schema.Struct({
  rps: optional(rate),
  max_concurrent: optional(whole(1)),
  find: optional(Schema.Boolean),
  told: optional(Schema.Literals(["spread", "burst"]))
})

const Share = number("a share above 0, up to 1", (value) => value > 0 && value <= 1)

const Breaker = Schema.Struct({
  failure_rate: optional(Share),
  minimum: optional(whole(1)),
  window: optional(Lasting),
  cool_down: optional(Lasting),
  longest: optional(Lasting),
  ramp: optional(Schema.Array(Share)),
  step: optional(Lasting)
})

const Host = Schema.Struct({
  ...Pace.fields,
  refusals: optional(Fields.Codes),
  used_up: optional(Schema.Array(some)),
  lane: optional(LaneChoice)
})

const bounds = Schema.Struct({
  min_rps: optional(rate),
  max_rps: optional(rate),
  min_concurrent: optional(whole(1)),
  max_concurrent: optional(whole(1))
}).check(
  Schema.makeFilter(({ max_concurrent, max_rps, min_concurrent, min_rps }) => {
    if ((min_rps ?? 0.01) > (max_rps ?? 1000)) return { path: ["max_rps"], issue: "Expected at least min_rps" }
    return (min_concurrent ?? 1) > (max_concurrent ?? 100)
      ? { path: ["max_concurrent"], issue: "Expected at least min_concurrent" }
      : undefined
  })
)

const namesHosts = Schema.makeFilter((hosts: { readonly [host: string]: unknown }) => {
  const seen = new Map<string, string>()
  for (const host of Object.keys(hosts)) {
    const lane = canonicalLane(host)
    if (lane === undefined) return { path: [host], issue: "Expected a host, a host:port or an origin as the name" }
    const other = seen.get(lane)
    if (other !== undefined) return { path: [host], issue: `Expected each host once; ${other} is the same` }
    seen.set(lane, host)
  }
  return undefined
})

const Hosts = Schema.Record(Schema.String, Host).check(namesHosts)

const CallLimit = Schema.Struct({
  rate: optional(rate),
  per: optional(Lasting),
  burst: optional(rate),
  concurrency: optional(whole(1)),
  settle: optional(Schema.Union([Schema.Struct({ header: some }), Schema.Struct({ json: some })])),
  weights: optional(Schema.Record(Schema.String, rate))
})

const CallLimits = Schema.Record(Schema.String, CallLimit).check(
  Schema.makeFilter((limits) => {
    const wrong = LimitOptions.problemInAll(limits)
    return wrong && { path: wrong.path, issue: wrong.problem }
  })
)

const L8Mode = Schema.Literals(modes)

const L8Hosts = Schema.Record(Schema.String, L8Mode).check(namesHosts)

const REGION_EXPECTED = "direct, { proxy } or { dam, api_key }"

const secret = (expected: string, holds: (value: string) => boolean) =>
  text(expected, holds).pipe(Schema.decodeTo(Schema.RedactedFromValue(Schema.String)))

const Way = Schema.Struct({
  proxy: optional(secret(Region.PROXY_EXPECTED, Region.isProxy)),
  dam: optional(text(Region.DAM_EXPECTED, Region.isDam)),
  api_key: optional(secret(Region.KEY_EXPECTED, Region.isKey))
}).check(
  Schema.makeFilter(({ api_key, dam, proxy }) => {
    if ((proxy === undefined) === (dam === undefined)) return { path: [], issue: `Expected ${REGION_EXPECTED}` }
    return (dam === undefined) === (api_key === undefined)
      ? undefined
      : { path: ["api_key"], issue: dam === undefined ? "A proxy has none" : `Expected ${Region.KEY_EXPECTED}` }
  })
)

// a text first: what is wrong with one is then told without what else it could have been
const Regions = Schema.Record(
  some,
  Schema.Union([
    text(REGION_EXPECTED, (value) => value === "direct").pipe(Schema.decodeTo(Schema.Literal("direct"))),
    Way
  ])
)

const limits = Object.fromEntries(
  // a dam may be one that grants no permits
  Object.keys(Limits.toJson(Limits.defaults)).map((name) => [name, optional(whole(name === "permits" ? 0 : 1))])
)

const isWebUrl = (value: string): boolean => /^https?:$/.test(URL.parse(value)?.protocol ?? "")

/** The whole file. */
export const ConfigSchema = Schema.Struct({
  port: optional(
    number("a port between 0 and 65535", (value) => Number.isInteger(value) && value >= 0 && value < 65536)
  ),
  host: optional(some),
  db: optional(some),
  database: optional(some),
  database_password_file: optional(some),
  keys_file: optional(some),
  backup_dir: optional(some),
  resume_copy: optional(Schema.Boolean),
  allowed_hosts: optional(Schema.Array(some)),
  credentials: optional(Schema.Array(some)),
  drain: optional(Span),
  pacing: optional(
    Schema.Struct({
      default: optional(Pace),
      receivers: optional(Pace),
      hosts: optional(Hosts),
      burst: optional(whole(0)),
      bounds: optional(bounds),
      keys_per_host: optional(whole(1)),
      weights: optional(Schema.Record(Schema.String, whole(1))),
      breaker: optional(Schema.Union([Schema.Literal(false), Breaker]))
    })
  ),
  call_limits: optional(CallLimits),
  presets: optional(Options),
  regions: optional(Regions),
  retry: optional(
    Schema.Struct({
      max_retries: optional(Fields.Count),
      max_reroutes: optional(Fields.Count),
      retry_codes: optional(Fields.Codes),
      reroute_codes: optional(Fields.Codes),
      unsafe: optional(Schema.Boolean),
      base: optional(Span),
      cap: optional(Span)
    })
  ),
  attempts: optional(
    Schema.Struct({
      timeout: optional(Lasting),
      connect_timeout: optional(Lasting),
      patience_429: optional(Span),
      response_bytes: optional(whole(1))
    })
  ),
  webhooks: optional(
    Schema.Struct({
      schedule: optional(Schema.NonEmptyArray(Span)),
      timeout: optional(Lasting),
      concurrency: optional(whole(1)),
      disable_after: optional(Schema.Struct({ failures: optional(whole(1)), failing_for: optional(Span) })),
      probe_every: optional(Lasting),
      https_only: optional(Schema.Boolean),
      follow_redirects: optional(Schema.Boolean),
      redrive: optional(Schema.Boolean),
      thin_after_413: optional(Schema.Boolean),
      link_lifetime: optional(Lasting),
      l8: optional(Schema.Struct({ default: optional(L8Mode), hosts: optional(L8Hosts) }))
    })
  ),
  notices: optional(
    Schema.Struct({
      urls: optional(Schema.Array(text("an http or https URL", isWebUrl))),
      events: optional(Schema.Array(Schema.Literals(noticeEvents))),
      thresholds: optional(
        Schema.Struct({
          endpoint_failures: optional(whole(1)),
          dead_letters: optional(whole(0)),
          lane_held: optional(Lasting),
          stored_bytes: optional(whole(1)),
          memory_bytes: optional(whole(1))
        })
      )
    })
  ),
  public_url: optional(text("an http or https URL", isWebUrl)),
  retention: optional(Span),
  text_search: optional(Schema.Literals(["on", "off"])),
  egress: optional(Schema.Struct({ allow_private: optional(Schema.Boolean), allow: optional(Schema.Array(some)) })),
  admission: optional(
    Schema.Struct({
      queued_jobs: optional(whole(1)),
      customer_jobs: optional(whole(1)),
      schedules: optional(whole(1)),
      running_jobs: optional(whole(1)),
      stored_bytes: optional(whole(1)),
      memory_bytes: optional(whole(1)),
      file_bytes: optional(whole(1))
    })
  ),
  limits: optional(Schema.Struct(limits))
})

/** A file as it was understood. */
export type Config = typeof ConfigSchema.Type
