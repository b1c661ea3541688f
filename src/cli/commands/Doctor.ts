/** `ezthrottle doctor`: looks at everything that a command needs, and says what to do about what is wrong. */
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { statfs } from "node:fs/promises"
import * as EgressDoor from "../../dam/egress/Door.ts"
import * as EgressPolicy from "../../dam/egress/EgressPolicy.ts"
import { typed } from "../output/commandName.ts"
import * as Output from "../output/Output.ts"
import { type Problem, problem } from "../output/Problem.ts"
import { Service } from "../service/Service.ts"
import { JobPage } from "../../dam/api/JobShapes.ts"
import * as SystemShapes from "../../dam/api/SystemShapes.ts"
import * as Target from "../service/Target.ts"

export interface Options {
  /** A URL that a job or a webhook is to reach. */
  readonly check: ReadonlyArray<string>
  /** The database of a dam on this machine. */
  readonly db: string
}

export interface Finding {
  readonly check: string
  readonly status: "ok" | "warning" | "error" | "skipped"
  readonly message: string
  readonly next?: string | undefined
}

/** Of what a dam says of itself, what is looked at here; an older one says less. */
const Health = Schema.Struct({
  status: Schema.String,
  version: SystemShapes.healthFields.version,
  egress: Schema.optionalKey(SystemShapes.healthFields.egress),
  shortage: Schema.optionalKey(Schema.Struct({ problem: Schema.String }))
})
type Health = typeof Health.Type

export const run = Effect.fnUntraced(function* (options: Options) {
  const configured = yield* Effect.result(Target.settle)
  const findings: Array<Finding> = [settings(configured), yield* configFile]
  if (Result.isSuccess(configured)) findings.push(...(yield* service(configured.success, options)))
  findings.push(yield* disk(options.db))
  yield* Output.print(
    { findings: findings.map(({ next, ...rest }) => ({ ...rest, next: next === undefined ? null : typed(next) })) },
    (paint) => findings.map((finding) => line(paint, finding)).join("\n")
  )
  const errors = findings.filter(({ status }) => status === "error").length
  if (errors > 0) {
    yield* Effect.fail(
      problem("failed", `${errors} ${errors === 1 ? "thing is" : "things are"} wrong`, { code: "unwell" })
    )
  }
})

const marks = {
  ok: ["green", "ok  "],
  warning: ["yellow", "warn"],
  error: ["red", "FAIL"],
  skipped: ["dim", "-   "]
} as const

const line = (paint: Output.Paint, { check, message, next, status }: Finding): string => {
  const [style, mark] = marks[status]
  return `${paint(style, mark)}  ${check.padEnd(8)}  ${message}${next === undefined ? "" : `\n                -> ${typed(next)}`}`
}

const ok = (check: string, message: string): Finding => ({ check, status: "ok", message })
const skipped = (check: string, message: string): Finding => ({ check, status: "skipped", message })

const bad = (check: string, { next, problem }: Problem): Finding => ({ check, status: "error", message: problem, next })

const settings = (configured: Result.Result<Target.Target, Problem>): Finding =>
  Result.isFailure(configured)
    ? bad("settings", configured.failure)
    : ok(
        "settings",
        `${configured.success.url} (${configured.success.from.url}), ${configured.success.apiKey === undefined ? "no key" : `a key (${configured.success.from.apiKey})`}`
      )

/** A key that others can read is a key that others have. */
const configFile = Effect.gen(function* () {
  const path = yield* Target.configPath
  if (path === undefined) return skipped("config", "no home folder, so no configuration file")
  const info = yield* Effect.option(FileSystem.FileSystem.use((files) => files.stat(path)))
  if (Option.isNone(info)) return skipped("config", `${path} is not there`)
  const isOpen = process.platform !== "win32" && (info.value.mode & 0o077) !== 0
  return isOpen
    ? {
        check: "config",
        status: "warning" as const,
        message: `${path} can be read by others`,
        next: `chmod 600 ${path}`
      }
    : ok("config", path)
})

/** What can only be told by asking. Each question is asked even when another one went wrong. */
const service = Effect.fnUntraced(function* (target: Target.Target, { check }: Options) {
  if (target.kind === "cloud") {
    return [
      skipped("service", "EZThrottle Cloud has no route that tells how it is"),
      ...(yield* egress(undefined, check))
    ]
  }
  const asked = yield* Effect.result(Service.use((service) => service.ask("/health")))
  if (Result.isFailure(asked)) return [bad("service", asked.failure), ...(yield* egress(undefined, check))]
  const { body, headers, status } = asked.success
  const health = Result.getOrElse(decodeHealth(body), () => undefined)
  if (status !== 200 || health === undefined) {
    return [
      {
        check: "service",
        status: "error" as const,
        message: `${target.url}/health answers ${status} and is no dam's`,
        next:
          status === 421
            ? "a dam without keys answers to loopback names only"
            : "check the URL: something else listens there"
      },
      ...(yield* egress(undefined, check))
    ]
  }
  return [
    ok("service", `a dam${health.version === undefined ? "" : ` of version ${health.version}`}`),
    ...(health.shortage === undefined
      ? []
      : [
          {
            check: "calls",
            status: "warning" as const,
            message: `some calls cannot be made: ${health.shortage.problem}`,
            next: "give the dam more of it; its jobs wait meanwhile"
          }
        ]),
    yield* key,
    yield* clock(headers["date"]),
    ...(yield* egress(health, check))
  ]
})

const decodeHealth = Schema.decodeUnknownResult(Schema.fromJsonString(Health))

const key = Effect.gen(function* () {
  const { call, target } = yield* Service
  const asked = yield* Effect.result(call({ path: "/api/v1/jobs", query: { limit: 1 }, schema: JobPage }))
  if (Result.isFailure(asked)) return bad("key", asked.failure)
  return ok("key", target.apiKey === undefined ? "none is needed" : "it is accepted")
})

/** Signatures are refused after five minutes; a minute is a sign that nobody sets the clock. */
const clock = Effect.fnUntraced(function* (date: string | undefined) {
  const theirs = date === undefined ? undefined : Option.getOrUndefined(DateTime.make(date))
  if (theirs === undefined) return skipped("clock", "the service does not tell its time")
  const off = (yield* Clock.currentTimeMillis) - DateTime.toEpochMillis(theirs)
  // the header counts whole seconds
  if (Math.abs(off) < 60_000)
    return ok("clock", `within ${Math.max(1, Math.round(Math.abs(off) / 1000))}s of the service`)
  return {
    check: "clock",
    status: "error" as const,
    message: `the clocks here and there differ by ${Output.span(off)} (this one is ${off > 0 ? "ahead" : "behind"})`,
    next: "let both follow a time server; signatures are refused after 5 minutes, and dates mean something else"
  }
})

/** Whether the dam would call these, as far as this machine can tell: it may resolve a name in another way. */
const egress = Effect.fnUntraced(function* (health: Health | undefined, urls: ReadonlyArray<string>) {
  const policy = policyOf(health?.egress)
  const door = yield* EgressDoor.make(policy).pipe(Effect.provide(NodeDns.layer))
  return yield* Effect.forEach(urls, (url) =>
    Effect.match(door.admit(url), {
      onSuccess: (): Finding => ok("url", `${Output.target(url)} may be called`),
      onFailure: ({ _tag, message }): Finding => ({
        check: "url",
        status: "error",
        message: `${Output.target(url)} is refused: ${Output.plain(message)}`,
        next:
          _tag === "UrlDenied"
            ? `start the dam with --allow-egress ${hostOf(url)}, or with --allow-private on a trusted network`
            : "check the name, and the name server"
      })
    })
  )
})

/** The policy that the dam tells of itself; the strictest where it tells none. */
const policyOf = (told: string | undefined): EgressPolicy.EgressPolicy => {
  if (told === "every address") return EgressPolicy.open
  const entries = (told ?? "").split(", ").filter((entry) => entry !== "" && entry !== "public addresses")
  return Result.getOrElse(
    EgressPolicy.make({
      allowPrivate: entries.includes("private addresses"),
      allowEgress: entries.filter((entry) => entry !== "private addresses")
    }),
    () => EgressPolicy.publicOnly
  )
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : "HOST")

const enough = 500 * 1024 * 1024
const tooLittle = 50 * 1024 * 1024

/** Room for the database of a dam on this machine; of another one nothing can be told. */
const disk = Effect.fnUntraced(function* (db: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.dirname(path.resolve(db))
  if (!(yield* Effect.orElseSucceed(files.exists(db), () => false))) {
    return skipped("disk", `there is no database ${db} here; --db names one`)
  }
  const room = yield* Effect.option(Effect.tryPromise(() => statfs(folder)))
  if (Option.isNone(room)) return skipped("disk", `the disk of ${folder} does not tell its room`)
  const free = room.value.bavail * room.value.bsize
  const finding = diskFinding(folder, free)
  const writable = yield* Effect.option(files.access(db, { writable: true }))
  return Option.isNone(writable)
    ? {
        check: "disk",
        status: "error" as const,
        message: `${db} cannot be written`,
        next: "give this user the right to"
      }
    : finding
})

/** What so much room means. */
export const diskFinding = (folder: string, free: number): Finding => {
  const message = `${Math.floor(free / (1024 * 1024))} MiB are free in ${folder}`
  if (free >= enough) return ok("disk", message)
  return {
    check: "disk",
    status: free < tooLittle ? "error" : "warning",
    message,
    next: "free some space: a dam on a full disk takes no job and tells no result"
  }
}
