/**
 * The API keys of the dam: who may call it, and as which customer.
 *
 * A key is kept as its SHA-256 only. Whoever calls is compared with every key there is, in constant time, so that
 * neither the time of an answer nor the memory of the process tells what would have been right.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { hash, timingSafeEqual } from "node:crypto"

/**
 * API keys, each bound to a customer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Keys {
  /** The customers that have a key. */
  readonly customers: ReadonlySet<string>
  /** Whether any key has the role of an operator. */
  readonly nameOperators: boolean
  /** Whose key an `Authorization` header carries; `undefined` when it carries none of ours. */
  readonly authenticate: (authorization: string | undefined) => Caller | undefined
  /** Who calls with a key that was shown before; `undefined` when it is none of ours any more. */
  readonly recall: (keyId: string) => Caller | undefined
}

/**
 * What a key may do: see to the jobs of its customer, or also what touches all customers.
 *
 * @category models
 * @since 0.1.0
 */
export type Role = "customer" | "operator"

/**
 * Who calls.
 *
 * @category models
 * @since 0.1.0
 */
export interface Caller {
  readonly customer: string
  readonly role: Role
  /** What the key is known by here; nobody can make the key of it. */
  readonly keyId: string
}

/**
 * A key and whose it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface KeyEntry {
  readonly customer: string
  /** Defaults to `customer`. */
  readonly role?: Role | undefined
  readonly key: Redacted.Redacted
}

/**
 * An entry that is no key. The key itself is never repeated.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidKeys extends Schema.TaggedError<InvalidKeys>()("InvalidKeys", {
  /** Counted from 1. */
  entry: Schema.Number,
  problem: Schema.String
}) {
  override get message() {
    return `API keys, entry ${this.entry}: ${this.problem}; expected customer:key, customer:key:operator or {"customer":"...","key":"...","role":"operator"}`
  }
}

/**
 * Makes keys. Customers are 1 to 64 letters, digits, `.`, `_` and `-`; keys are what a bearer token may be.
 *
 * **Details** — a customer may have several keys, a key only one customer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (entries: ReadonlyArray<KeyEntry>): Result.Result<Keys, InvalidKeys> => {
  if (entries.length === 0) return refuse(0, "there is none")
  const known: Array<{ readonly caller: Caller; readonly digest: Buffer }> = []
  for (const [index, { customer, key, role = "customer" }] of entries.entries()) {
    if (!CUSTOMER.test(customer)) return refuse(index, "the customer is not 1 to 64 letters, digits, '.', '_' or '-'")
    if (!TOKEN.test(Redacted.value(key))) return refuse(index, "the key is empty or holds what no bearer token may")
    const digest = sha256(Redacted.value(key))
    const same = known.find((other) => other.digest.equals(digest))
    if (same !== undefined && same.caller.customer !== customer) {
      return refuse(index, "another customer has the same key")
    }
    if (same !== undefined && same.caller.role !== role) return refuse(index, "the same key has another role")
    known.push({ caller: { customer, role, keyId: digest.toString("base64url") }, digest })
  }
  return Result.succeed({
    customers: new Set(known.map(({ caller }) => caller.customer)),
    nameOperators: known.some(({ caller }) => caller.role === "operator"),
    authenticate: (authorization) => {
      // an absent token is hashed too; no key is empty
      const digest = sha256(tokenIn(authorization))
      let found: Caller | undefined
      for (const entry of known) if (timingSafeEqual(entry.digest, digest)) found = entry.caller
      return found
    },
    recall: (keyId) => known.find(({ caller }) => caller.keyId === keyId)?.caller
  })
}

/**
 * Reads keys: one `customer:key`, `customer:key:operator` or `{"customer":"...","key":"...","role":"operator"}` per
 * line. Blank lines and lines that begin with `#` do not count.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: string): Result.Result<Keys, InvalidKeys> =>
  Result.flatMap(
    Result.all(
      text
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map(entryIn)
    ),
    make
  )

/**
 * Reads keys from `EZTHROTTLE_DAM_KEYS`: `customer:key` entries, set apart by commas, blanks or line breaks.
 * `undefined` when the variable is not set.
 *
 * @category configuration
 * @since 0.1.0
 */
export const fromEnvironment: Effect.Effect<Keys | undefined, InvalidKeys | Config.ConfigError> = Effect.gen(
  function* () {
    const given = yield* Config.option(Config.Redacted("EZTHROTTLE_DAM_KEYS"))
    return Option.isNone(given)
      ? undefined
      : yield* Effect.fromResult(parse(Redacted.value(given.value).replaceAll(/[\s,]+/g, "\n")))
  }
)

const entryIn = (line: string, index: number): Result.Result<KeyEntry, InvalidKeys> => {
  if (line.startsWith("{")) {
    return Result.mapBoth(decodeEntry(line), {
      onFailure: () => invalid(index, "this is no such JSON"),
      onSuccess: ({ customer, key, role }) => ({ customer, role, key: Redacted.make(key) })
    })
  }
  const colon = line.indexOf(":")
  if (colon < 0) return refuse(index, "there is no colon")
  // no key has a colon in it
  const [key = "", role, ...rest] = line.slice(colon + 1).split(":")
  if (role !== undefined && (role !== "operator" || rest.length > 0)) {
    return refuse(index, "what stands behind the key is no role")
  }
  return Result.succeed({ customer: line.slice(0, colon), role, key: Redacted.make(key) })
}

const decodeEntry = Schema.decodeUnknownResult(
  Schema.fromJsonString(
    Schema.Struct({
      customer: Schema.String,
      key: Schema.String,
      role: Schema.optionalKey(Schema.Literals(["customer", "operator"]))
    })
  )
)

const tokenIn = (authorization: string | undefined): string =>
  (authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]) ?? ""

const sha256 = (text: string): Buffer => hash("sha256", text, "buffer")

const invalid = (index: number, problem: string) => new InvalidKeys({ entry: index + 1, problem })

const refuse = (index: number, problem: string) => Result.fail(invalid(index, problem))

const CUSTOMER = /^[A-Za-z0-9._-]{1,64}$/
// RFC 6750, section 2.1
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i
