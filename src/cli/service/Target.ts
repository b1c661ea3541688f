/** Which service a command talks to, and as whom: flags over the environment over the configuration file. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Yaml from "effect/encoding/Yaml"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { EncodeOptions } from "../../wire/Job.ts"
import * as Globals from "../output/Globals.ts"
import { type Problem, problem } from "../output/Problem.ts"

export interface Target {
  /** `cloud` is reached through a proxy and offers fewer routes. */
  readonly kind: "dam" | "cloud"
  /** Without a trailing slash. */
  readonly url: string
  readonly proxyUrl: string
  readonly apiKey: Redacted.Redacted | undefined
  /** Where each came from, for `doctor`. */
  readonly from: { readonly url: string; readonly apiKey: string }
}

/** What a service reads of a job beyond the protocol: a dam all of it, the cloud nothing. */
export const readBy = ({ kind }: Pick<Target, "kind">): EncodeOptions =>
  kind === "dam" ? { binary: "base64", extensions: "send" } : {}

export const cloudUrl = "https://ezthrottle.fly.dev"
const cloudProxy = "https://tracktags.fly.dev"
/** Where `ezthrottle dam` listens by itself. */
export const localUrl = "http://127.0.0.1:8080"

interface Found<A> {
  readonly value: A
  readonly from: string
}

/** Settles it; nothing is called. */
export const settle = Effect.gen(function* () {
  const file = yield* readFile
  const damUrl = yield* variable("EZTHROTTLE_DAM_URL")
  const flagUrl = Option.getOrUndefined(yield* Globals.Url)
  const flagKey = Option.getOrUndefined(yield* Globals.ApiKey)
  const apiKey =
    found(flagKey, "--api-key") ??
    found(redacted(yield* variable("EZTHROTTLE_API_KEY")), "EZTHROTTLE_API_KEY") ??
    found(redacted(file.value.api_key), file.from)
  const url =
    found(flagUrl, "--url") ??
    found(damUrl, "EZTHROTTLE_DAM_URL") ??
    found(yield* variable("EZTHROTTLE_URL"), "EZTHROTTLE_URL") ??
    found(file.value.url, file.from) ??
    // without a key the cloud would refuse everything
    (apiKey === undefined
      ? { value: localUrl, from: "the default without a key" }
      : { value: cloudUrl, from: "the default with a key" })
  const proxy =
    // a dam is its own
    (url.from === "EZTHROTTLE_DAM_URL" ? url : undefined) ??
    found(yield* variable("EZTHROTTLE_TRACKTAGS_URL"), "EZTHROTTLE_TRACKTAGS_URL") ??
    found(file.value.tracktags_url, file.from)
  const base = yield* httpUrl(url)
  const proxyUrl = proxy === undefined ? (base === cloudUrl ? cloudProxy : base) : yield* httpUrl(proxy)
  return {
    // a dam answers for itself
    kind: proxyUrl === base ? "dam" : "cloud",
    url: base,
    proxyUrl,
    apiKey: apiKey?.value,
    from: { url: url.from, apiKey: apiKey?.from ?? "nowhere" }
  } satisfies Target
})

const found = <A>(value: A | undefined, from: string): Found<A> | undefined =>
  value === undefined ? undefined : { value, from }

const redacted = (value: string | undefined) => (value === undefined ? undefined : Redacted.make(value))

/** One that is set to nothing counts as not set. */
export const variable = (name: string): Effect.Effect<string | undefined> =>
  Effect.map(Effect.orDie(Config.option(Config.String(name))), (value) => {
    const text = Option.getOrUndefined(value)?.trim()
    return text === "" ? undefined : text
  })

const httpUrl = ({ from, value }: Found<string>): Effect.Effect<string, Problem> => {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return Effect.fail(
      problem("usage", `the URL from ${from} is no http:// or https:// URL`, {
        next: `write it like ${localUrl}`,
        code: "bad_url"
      })
    )
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return Effect.fail(
      problem("usage", `the URL from ${from} has a user, a query or a fragment`, {
        next: "give the base of the service only, and the key with EZTHROTTLE_API_KEY",
        code: "bad_url"
      })
    )
  }
  return Effect.succeed(value.trim().replace(/\/+$/, ""))
}

const File = Schema.Struct({
  url: Schema.optionalKey(Schema.String),
  api_key: Schema.optionalKey(Schema.String),
  tracktags_url: Schema.optionalKey(Schema.String)
})

/** `$XDG_CONFIG_HOME/ezthrottle/config.yaml`, usually below `~/.config`. */
export const configPath = Effect.gen(function* () {
  const path = yield* Path.Path
  const xdg = yield* variable("XDG_CONFIG_HOME")
  const home = (yield* variable("HOME")) ?? (yield* variable("USERPROFILE"))
  const base = xdg ?? (home === undefined ? undefined : path.join(home, ".config"))
  return base === undefined ? undefined : path.join(base, "ezthrottle", "config.yaml")
})

const readFile = Effect.gen(function* () {
  const path = yield* configPath
  const files = yield* FileSystem.FileSystem
  const text =
    path === undefined
      ? undefined
      : yield* files
          .readFileString(path)
          .pipe(
            Effect.catch(({ reason }) =>
              reason._tag === "NotFound"
                ? Effect.undefined
                : Effect.fail(unusable(path, `cannot be read (${reason._tag})`))
            )
          )
  const from = path ?? "the configuration file"
  if (text === undefined) return { value: {} as typeof File.Type, from }
  const value = yield* Effect.fromResult(Result.mapError(parse(text), (text) => unusable(from, text)))
  return { value, from }
})

const parse = (text: string): Result.Result<typeof File.Type, string> =>
  Result.try({
    try: () => Yaml.parse(text),
    // what a parser quotes could be the key
    catch: () => "is no YAML that can be read"
  }).pipe(
    Result.flatMap((document) =>
      Result.mapError(decodeFile(document ?? {}), ({ issue }) => {
        const field = formatIssue(issue).issues[0]?.path?.map(String).join(".") ?? ""
        const isKnown = Object.hasOwn(File.fields, field)
        return field === ""
          ? "is no map of settings"
          : `${field}: ${isKnown ? "is no text" : "there is no such setting"}`
      })
    )
  )

const decodeFile = Schema.decodeUnknownResult(File, { onExcessProperty: "error" })
const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const unusable = (path: string, text: string): Problem =>
  problem("usage", `${path}: ${text}`, {
    next: `it may say ${Object.keys(File.fields).join(", ")}`,
    code: "bad_config"
  })
