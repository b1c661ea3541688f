/**
 * What is known of a provider, as data: how it says what is left, how it refuses, and what its limits belong to.
 *
 * A preset is read by `Reading` and holds no code, so one of your own in a configuration file can say everything that
 * ours say, in the same words. Names are those of the file.
 *
 * ```yaml
 * name: example
 * title: Example
 * hosts: [api.example.com, "*.example.net"]
 * lane: [credential]
 * limits:
 *   - dialect: headers
 *     limit: x-quota-limit
 *     remaining: x-quota-left
 *     reset: [{ header: x-quota-reset, in: epoch_seconds }]
 * too_many: [{ status: [403], body: [{ path: error.code, is: slow_down }] }]
 * used_up: [{ status: [402] }]
 * cost: [{ sum: [usage.total_tokens] }]
 * ```
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "../step/Fields.ts"
import { isPath } from "./JsonPath.ts"

const optional = Schema.optionalKey

const text = (expected: string, holds: (value: string) => boolean) =>
  Schema.String.check(Schema.makeFilter(holds, { expected }))

const some = text("a text that is not empty", (value) => value.trim() !== "")

/** Read in lower case, which is how they are compared. */
const HeaderName = text("a header name in lower case", (value) => /^[!#$%&'+\-.^_`|~0-9a-z]+$/.test(value))

const HeaderNames = text(
  'a header name in lower case, with one "*" at most',
  (value) => /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(value) && value.split("*").length <= 2
)

const Path = text("a path such as error.code, errors[].type or [].code", isPath)

const seconds = Schema.Number.check(
  Schema.makeFilter((value: number) => Number.isFinite(value) && value >= 0 && value <= 31_536_000, {
    expected: "seconds, from 0 to a year"
  })
)

/**
 * How a moment or a length of time is written.
 *
 * **Details** — `seconds` and `millis` count from now, with or without a fraction; `epoch_seconds` and `epoch_millis` from
 * 1970; `length` is `1h2m3s`, `59.8s` or `120ms`; `date` is ISO 8601 with a zone, seconds or not, or a date of HTTP;
 * `any` tells them apart by how they look, where a number below 1,000,000,000 is seconds from now.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Notation = Schema.Literals(["seconds", "millis", "epoch_seconds", "epoch_millis", "length", "date", "any"])

export type Notation = typeof Notation.Type

/**
 * A test of a body, of which one of the values at a path has to pass.
 *
 * **Details** — without a `path` it is the text of the body, empty where there is none. `is` names the value, or several;
 * `has` a text in it, whatever its case. With neither, there has to be something at the path. Of a stream of events the
 * body is the list of what they carry: `[].code`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const BodyTest = Schema.Struct({
  path: optional(Path),
  is: optional(
    Schema.Union([
      Schema.String,
      Schema.Finite,
      Schema.Boolean,
      Schema.Array(Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]))
    ])
  ),
  has: optional(some)
})

export interface BodyTest extends Schema.Schema.Type<typeof BodyTest> {}

const conditions = {
  /** Any of these. */
  status: optional(Fields.Codes),
  /** Each with this value, whatever its case; `*` is any. */
  headers: optional(Schema.Record(HeaderName, some)),
  /** All of these. */
  body: optional(Schema.Array(BodyTest))
}

/**
 * What has to be so of an answer: all that is said.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Condition = Schema.Struct(conditions)

export interface Condition extends Schema.Schema.Type<typeof Condition> {}

const rule = {
  ...conditions,
  /** Whether a limit that was told has nothing left. */
  exhausted: optional(Schema.Boolean),
  /** Whether a header announces a wait, as `Retry-After` does. */
  announced: optional(Schema.Boolean)
}

/** A rule without a condition would fit every answer. */
const asksSomething = Schema.makeFilter((rule: object) =>
  ["status", "headers", "body", "exhausted", "announced"].some((name) => name in rule)
    ? undefined
    : "Expected a status, headers, a body, exhausted or announced"
)

/**
 * An answer that is a refusal, and worth repeating; `wait_seconds` where it announces no wait itself.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TooMany = Schema.Struct({ ...rule, wait_seconds: optional(seconds) }).check(asksSomething)

export interface TooMany extends Schema.Schema.Type<typeof TooMany> {}

/**
 * An answer that says that a quota is used up. `until` is when it will be there again: when the answer announces it, or
 * the next midnight; left out, nobody knows.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UsedUp = Schema.Struct({ ...rule, until: optional(Schema.Literals(["told", "midnight_utc"])) }).check(
  asksSomething
)

export interface UsedUp extends Schema.Schema.Type<typeof UsedUp> {}

/** A name, with a header's value in braces and what a `*` stood for. */
const LimitName = text("a name such as requests, bucket:{x-bucket} or *", (value) =>
  /^[^{}]*(\{[^{}]+\}[^{}]*)*$/.test(value)
)

/** The first that is there. */
const OneOf = Schema.Union([HeaderNames, Schema.NonEmptyArray(HeaderNames)])

const Resets = Schema.NonEmptyArray(Schema.Struct({ header: HeaderNames, in: Notation }))

/**
 * Refusals that hold more than the lane they came in: all lanes of the call's credential, or all of the host.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Wider = Schema.Struct({ ...conditions, lanes: Schema.Literals(["credential", "host"]) }).check(
  asksSomething
)

export interface Wider extends Schema.Schema.Type<typeof Wider> {}

const named = {
  /** Defaults to what a `*` stands for, and to `requests` without one. */
  name: optional(LimitName)
}

const onlyWhere = {
  when: optional(Condition),
  unless: optional(Condition)
}

/** One header for each figure; with a `*`, as many limits as there are names for it. */
const InHeaders = Schema.Struct({
  dialect: Schema.Literal("headers"),
  ...named,
  ...onlyWhere,
  limit: optional(OneOf),
  remaining: optional(OneOf),
  /** What is used, where that is told instead of what is left. */
  used: optional(OneOf),
  reset: optional(Resets),
  /** How long a window is. */
  window: optional(Schema.Struct({ header: HeaderNames, in: Schema.Literals(["seconds", "millis"]) }))
})

/** `32/40` or `api-usage=18/15000`: used, and the limit. */
const InPair = Schema.Struct({
  dialect: Schema.Literal("pair"),
  ...named,
  ...onlyWhere,
  header: HeaderName,
  key: optional(some)
})

/** `total=100; remaining=98; resets=41` or `client;q=10;t=1;r=9`, whose head is the name. */
const InKeys = Schema.Struct({
  dialect: Schema.Literal("keys"),
  ...named,
  ...onlyWhere,
  header: HeaderNames,
  limit: optional(some),
  remaining: optional(some),
  reset: optional(Schema.Struct({ key: some, in: Notation }))
})

/** Figures in a body of JSON. */
const InBody = Schema.Struct({
  dialect: Schema.Literal("body"),
  ...named,
  ...onlyWhere,
  limit: optional(Path),
  remaining: optional(Path),
  reset: optional(Schema.Struct({ path: Path, in: Notation }))
})

/** The common forms, told apart by their names: `RateLimit`, `RateLimit-*`, `X-RateLimit-*`, `X-Rate-Limit-*`. */
const Common = Schema.Struct({ dialect: Schema.Literal("common"), ...onlyWhere })

/**
 * Where a limit is told, by its dialect.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Limit = Schema.Union([InHeaders, InPair, InKeys, InBody, Common])

export type Limit = typeof Limit.Type

/**
 * A wait that the body of a refusal tells: at a path, or as what is missing and how fast it comes back.
 *
 * @category schemas
 * @since 0.1.0
 */
export const BodyWait = Schema.Union([
  Schema.Struct({ path: Path, in: Notation }),
  Schema.Struct({ needed: Path, available: Path, per_second: Path })
])

export type BodyWait = typeof BodyWait.Type

/**
 * What a call has cost: a header, or the sum of what stands at some paths, at each the last.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Cost = Schema.Union([
  Schema.Struct({ header: HeaderName }),
  Schema.Struct({ sum: Schema.NonEmptyArray(Path) })
])

export type Cost = typeof Cost.Type

const PathPattern = text(
  'a path that begins with "/", where "*" is any piece and "**" at its end any rest',
  (value) => /^\/[^?#]*$/.test(value) && !/\*\*./.test(value)
)

/** A name for each pattern; the first that a path fits decides, and `otherwise` where it fits none. */
const byPath = {
  paths: optional(Schema.Record(PathPattern, some)),
  otherwise: optional(some)
}

/**
 * A part of what a limit belongs to.
 *
 * **Details** — `host`, `credential`, `method` and `path` are those of the call. `after` is the piece of its path behind
 * one of these words, `paths` a name for paths of a kind, `header` one of its headers, `body` a place in its body,
 * `metadata` one of its job's. `answer` is a header of the answer; until there is one, `paths` and `otherwise` name it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const LanePart = Schema.Union([
  Schema.Literals(["host", "credential", "method", "path"]),
  Schema.Struct({ name: some, after: Schema.NonEmptyArray(some) }),
  Schema.Struct({ name: some, header: HeaderName }),
  Schema.Struct({ name: some, body: Path }),
  Schema.Struct({ name: some, metadata: some }),
  Schema.Struct({ name: some, answer: HeaderName, ...byPath }),
  Schema.Struct({ name: some, paths: Schema.Record(PathPattern, some), otherwise: optional(some) })
])

export type LanePart = typeof LanePart.Type

/**
 * How calls find what their limits belong to, as a host's setting: one for all of them, or by parts.
 *
 * @category schemas
 * @since 0.1.0
 */
export const LaneChoice = Schema.Union([Schema.Literal("host"), Schema.NonEmptyArray(LanePart)])

export type LaneChoice = typeof LaneChoice.Type

const name = text("a name of lower-case letters, digits and hyphens", (value) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value))

const host = text(
  'a host such as api.example.com, with one "*" at most, as in *.example.com',
  (value) => /^[a-z0-9*.-]+$/.test(value) && value.split("*").length <= 2 && /[a-z0-9]\.[a-z0-9]/.test(value)
)

/**
 * What is known of a provider.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Preset = Schema.Struct({
  name,
  /** As people write it. Defaults to the name. */
  title: optional(some),
  /** Hosts it is known to answer at; `*` stands for one label or several, or a part of one. */
  hosts: Schema.Array(host),
  /** Headers that carry the credential, the first that is there. Defaults to `authorization`. */
  credential: optional(Schema.NonEmptyArray(HeaderName)),
  /** What its limits belong to. Defaults to the host. */
  lane: optional(Schema.NonEmptyArray(LanePart)),
  /** Where limits are told. Defaults to the common forms. */
  limits: optional(Schema.Array(Limit)),
  /** Refusals beside 429, and 403 that announces a wait or an exhausted limit; the first that fits decides. */
  too_many: optional(Schema.Array(TooMany)),
  /** Looked at before all refusals. */
  used_up: optional(Schema.Array(UsedUp)),
  /** Of refusals, those that hold more than their own lane; the first that fits decides. */
  wider: optional(Schema.Array(Wider)),
  /** Read where no header tells a wait. */
  body_wait: optional(Schema.Array(BodyWait)),
  /** The first that tells something. */
  cost: optional(Schema.Array(Cost)),
  /** The header with which a call can be made twice and done once, and the methods it is for. */
  idempotency: optional(Schema.Struct({ header: some, methods: Schema.NonEmptyArray(some) })),
  /** Sentences for people. */
  advice: optional(Schema.Array(some))
})

export interface Preset extends Schema.Schema.Type<typeof Preset> {}
