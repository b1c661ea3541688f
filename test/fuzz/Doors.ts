/**
 * Every place where bytes of others come in. A door answers in a few words what became of an input; what else must hold of
 * an answer is looked at there, and said by `wrong`. A character of an input is a byte.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as CsvRows from "../../src/cli/commands/CsvRows.ts"
import * as ConfigFile from "../../src/dam/config/ConfigFile.ts"
import * as EgressPolicy from "../../src/dam/egress/EgressPolicy.ts"
import { readCloud } from "../../src/dam/intake/Body.ts"
import { readFlat } from "../../src/dam/intake/Flat.ts"
import * as Limits from "../../src/dam/intake/Limits.ts"
import type { Refused } from "../../src/dam/intake/Refusal.ts"
import * as Search from "../../src/dam/job/Search.ts"
import { seenBy } from "../../src/dam/http/routes/JobStream.ts"
import * as JobRows from "../../src/dam/rows/JobRows.ts"
import { over } from "../../src/dam/rows/RowStore.ts"
import type { StoredJob } from "../../src/dam/job/Job.ts"
import * as HttpDate from "../../src/engine/HttpDate.ts"
import * as Pacing from "../../src/engine/Pacing.ts"
import * as RateLimitHeaders from "../../src/engine/RateLimitHeaders.ts"
import * as RetryAfter from "../../src/engine/RetryAfter.ts"
import * as Cron from "../../src/engine/schedule/Cron.ts"
import type { Step } from "../../src/step/StepModel.ts"
import * as EzthrottleSignature from "../../src/wire/EzthrottleSignature.ts"
import * as Job from "../../src/wire/Job.ts"
import * as L8 from "../../src/wire/L8.ts"
import * as L8Handshake from "../../src/wire/L8Handshake.ts"
import * as Proxy from "../../src/wire/Proxy.ts"
import * as StandardWebhooks from "../../src/wire/StandardWebhooks.ts"
import * as StrictJson from "../../src/wire/StrictJson.ts"
import * as WebhookEvent from "../../src/wire/WebhookEvent.ts"
import { rich } from "../conformance/jobStore/Fixtures.ts"
import { type Door, wrong } from "./Door.ts"

const bytesOf = (input: string): Uint8Array => Buffer.from(input, "latin1")
const textOf = (input: string): string => bytesOf(input).toString()
const now = 1_750_000_000_000

const limits = Limits.make()
const { open: everywhere } = EgressPolicy

/** Where something stands, by the names that mean something; all others are the same. */
const placeOf = (path: string): string =>
  path
    .split(/[.[\]]+/)
    .map((name) => (/^\d+$/.test(name) ? "n" : meaning.has(name) ? name : "?"))
    .slice(0, 4)
    .join(".")

/** By its code and field. */
const refusal = ({ code, field = "", status }: Refused): string =>
  status >= 400 && status < 500 ? `${status} ${code} ${placeOf(field)}` : wrong(`a refusal of status ${status}`)

const words = (text: string): ReadonlyArray<string> => text.split(/\s+/)
const quoted = (text: string): ReadonlyArray<string> => words(text).map((word) => `"${word}"`)

const jobWords =
  quoted(`url method headers body body_base64 metadata webhooks retry_policy regions fallback_job trigger type
  on_error codes on_timeout timeout_ms on_success on_failure idempotent_key retry_at delay_ms start_before
  limits fills into from priority low in_order debounce coalesce hedge p95 execution_mode race fanout
  region_policy total_timeout_ms secret https://a.example/ http://[::1]/`)

const settingWords =
  words(`db egress allow_private allow pacing default hosts rps max_concurrent admission max_queued retention
  limits body_bytes schedules webhooks keys regions l8 admins`)

const eventWords = quoted(`job_id status response responses status_code body_base64 user_id error headers body metadata
  idempotent_key`)

const meaning = new Set([...jobWords, ...eventWords, ...settingWords].map((word) => word.replaceAll('"', "")))

const jobSeeds = [
  '{"url":"https://a.example/x","method":"POST","body":"hi","headers":{"A":"b"}}',
  '{"url":"https://a.example/","webhooks":[{"url":"https://b.example/h","regions":["iad"],"has_quorum_vote":true}],"webhook_quorum":1}',
  '{"url":"https://a.example/","regions":["iad","lax"],"execution_mode":"race","region_policy":"fallback","retry_policy":{"max_retries":2,"retry_codes":[429,503]}}',
  '{"url":"https://a.example/","fallback_job":{"url":"https://b.example/","trigger":{"type":"on_error","codes":[500]},"fallback_job":{"url":"https://c.example/","trigger":{"type":"on_timeout","timeout_ms":50}}}}',
  '{"url":"https://a.example/{id}","on_success":{"url":"https://b.example/{id}","fills":[{"into":"/path/id","from":"/response/body/id"}]},"metadata":{"a":1,"b":{"c":[null,true]}}}',
  '{"url":"https://a.example/","idempotent_key":"k","retry_at":1750000000000,"start_before":1760000000000,"priority":"low","in_order":{"key":"k","on_failure":"stop"}}',
  '{"url":"https://a.example/","method":"PUT","body_base64":"AAEC","limits":[{"name":"tokens","key":"k","cost":2}],"total_timeout_ms":5000,"hedge":{"after":"p95","max":1}}',
  '{"url":"https://a.example/","headers":{"authorization":{"secret":"stripe","prefix":"Bearer "}},"coalesce":true,"debounce":{"key":"k","wait_ms":100}}'
]

const sendable = { binary: "base64", extensions: "send" } as const

const asJson = (step: Step) => Job.encode({ step, key: undefined, retryAt: undefined }, sendable)

/** What was taken is written, and read back as what it was. */
const taken = (read: Result.Result<Step, Refused>): string => {
  if (Result.isFailure(read)) return refusal(read.failure)
  const written = asJson(read.success)
  if (Result.isFailure(written)) return "a job that needs a key first"
  const again = Result.flatMap(Job.decode(JSON.parse(JSON.stringify(written.success))), asJson)
  return Result.isSuccess(again) && JSON.stringify(again.success) === JSON.stringify(written.success)
    ? `a job with ${Object.keys(written.success).toSorted().join(" ")}`
    : wrong("what was taken is another job when it is written and read again")
}

const secret = "a secret of enough bytes"
const base64Secret = `whsec_${Buffer.from(secret).toString("base64")}`
const signedAt = Math.floor(now / 1000)
const body = '{"job_id":"job_1","status":"success"}'
const ezHeader = EzthrottleSignature.sign({ body, secrets: secret, timestamp: signedAt })
const standard = StandardWebhooks.sign({ id: "msg_1", body, secrets: base64Secret, timestamp: signedAt })

/** Headers as lines; a name that comes again is the last one. */
const headersIn = (input: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    input.split("\n").flatMap((line) => {
      const at = line.indexOf(":")
      return at < 1 ? [] : [[line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]]
    })
  )

/** A verdict; what nobody has signed is never valid. */
const verdict = (tag: string, isSigned: boolean): string =>
  tag === "Valid" && !isSigned ? wrong("valid, though nobody has signed it") : tag

const said = (read: Result.Result<unknown, L8.InvalidL8>): string =>
  Result.isSuccess(read) ? "read" : read.failure.path.replaceAll(/\d+/g, "n").slice(0, 30)

const isPause = Duration.between({ minimum: Duration.zero, maximum: Duration.days(1) })
const isMoment = (value: number | undefined): boolean => value === undefined || Number.isFinite(value)

const stored = (input: string): string => {
  const row = Result.try((): unknown => JSON.parse(textOf(input)))
  if (Result.isFailure(row)) return "no row"
  const run = (() => Effect.succeed(row.success)) as unknown as Parameters<typeof over>[0] // answers one command
  const exit = Effect.runSyncExit(over(run).get("one"))
  if (Exit.isSuccess(exit)) {
    return exit.value === undefined ? "none" : exit.value.unreadable === undefined ? "a job" : "a damaged job"
  }
  const failure = Exit.findErrorOption(exit)
  return failure._tag === "Some"
    ? failure.value._tag
    : wrong(`a row that is a defect: ${String(exit.cause).slice(0, 300)}`)
}

const rowSeed = (() => {
  const { columns, state, step } = JobRows.encodeJob(rich("one"))
  const names = ["id", "customer", "dialect", "key_scope", "key", "key_given", "payload", "lane", "account", "isolated"]
  const given = Object.fromEntries(names.map((name, at) => [name, columns[at] ?? null]))
  const job = { ...given, state, step, seq: 1, created_at: 1, quorum: 1, delivery_state: "none", epoch: 0, revision: 0 }
  const none = ["not_before", "parent_id", "parent_relation", "rerun_of", "traceparent", "due_at", "started_at"]
  const more = ["finished_at", "settled_at", "held_since", "deadline_at", "paused_for", "held_by", "result", "bodies"]
  const last = ["start_before", "limits", "batch", "batch_line", "batch_id", "order_key", "debounce_key", "erased_at"]
  const empty = Object.fromEntries([...none, ...more, ...last].map((name) => [name, null]))
  return JSON.stringify({ job: { ...empty, ...job, order_stops: 0 }, attempts: [] })
})()

const onlyId = (id: string) => ({ id }) as unknown as StoredJob // nothing else of it is looked at

/** All of them. */
export const doors: ReadonlyArray<Door> = [
  {
    name: "job",
    seeds: jobSeeds,
    words: jobWords,
    open: (input) => taken(readCloud(bytesOf(input), limits, everywhere))
  },
  {
    name: "flat job",
    seeds: [
      '{"url":"https://a.example/","method":"POST","user_id":"u","webhook_url":"https://b.example/","body":"x","retry_at":1750000000000,"idempotent_key":"k"}'
    ],
    words: [...jobWords, '"user_id"', '"webhook_url"', '"pool_id"'],
    open: (input) => taken(Result.map(readFlat(bytesOf(input), limits, everywhere), ({ step }) => step))
  },
  {
    name: "JSON",
    seeds: ['{"a":[1,2.5e3,"\\u00e9",{"b":null}],"c":true}', "[[[[]]]]", '"\\ud83d\\ude00"', "-0.0e-1"],
    words: ["\\u", "e+", '":', "{}", "[]", "tru", "\\/"],
    open: (input) => {
      const read = StrictJson.parse(bytesOf(input))
      if (Result.isFailure(read)) return read.failure.code
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(input))
      return JSON.stringify(JSON.parse(text)) === JSON.stringify(read.success)
        ? "as JSON.parse"
        : wrong("not as JSON.parse")
    }
  },
  {
    name: "answer of the proxy",
    seeds: [
      '200\n{"status":200,"headers":{"a":"b"},"body":"x"}',
      '429\n{"error":"slow down","retry_at":1750000000000}',
      '200\n{"job_id":"job_1","status":"queued"}',
      "502\n<html>bad gateway</html>"
    ],
    words: ['"status"', '"body"', '"headers"', '"error"', '"retry_at"', '"job_id"', "200\n", "429\n"],
    open: (input) => {
      const [first = "", ...rest] = textOf(input).split("\n")
      const status = /^[1-9]\d\d$/.test(first) ? Number(first) : 200
      const read = Proxy.readAnswer({ status, body: rest.join("\n"), retryAt: undefined })
      return Result.match(Result.flatMap(read, Proxy.readReceipt), {
        onFailure: ({ _tag, message }) => (message === "" ? wrong("a failure without a word") : _tag),
        onSuccess: () => "a receipt"
      })
    }
  },
  {
    name: "event of a webhook",
    seeds: [
      '{"job_id":"job_1","idempotent_key":"k","status":"success","response":{"status_code":200,"headers":{"A":"b"},"body":"x"},"metadata":{"a":1}}',
      '{"job_id":"job_1","status":"failed","error":"gone","responses":{"iad":{"status_code":500,"body_base64":"AAE="}}}',
      '{"user_id":"u","job_id":"job_1","status_code":200,"body":"x","headers":{}}'
    ],
    words: eventWords,
    open: (input) => {
      const read = WebhookEvent.decode(bytesOf(input))
      if (Result.isFailure(read)) return `refused at ${placeOf(read.failure.path)}`
      const text = WebhookEvent.encode(read.success)
      const again = Result.map(WebhookEvent.decode(text), (event) => WebhookEvent.encode(event))
      return Result.isSuccess(again) && again.success === text
        ? `${read.success.dialect} event`
        : wrong("an event that is another one when it is written and read again")
    }
  },
  {
    name: "signature of EZThrottle",
    seeds: [ezHeader, `${ezHeader},v1=00`, `t=${signedAt},v1=${"0".repeat(64)}`],
    words: ["t=", "v1=", "v0=", ",", ezHeader, String(signedAt)],
    open: (header) => {
      const { _tag } = EzthrottleSignature.verify({ header, body, secrets: secret, now: signedAt })
      // whoever has the signature may write it among others
      return verdict(_tag, header.toLowerCase().includes(ezHeader.slice(-64)) && header.includes(String(signedAt)))
    }
  },
  {
    name: "signature of Standard Webhooks",
    seeds: [standard["webhook-signature"], `${standard["webhook-signature"]} v1,AAAA`, "v1a,AAAA v1,"],
    words: ["v1,", "v1a,", " ", standard["webhook-signature"]],
    open: (signature) => {
      const received = { id: standard["webhook-id"], timestamp: standard["webhook-timestamp"], signature }
      const { _tag } = StandardWebhooks.verify({ ...received, body, secrets: base64Secret, now: signedAt })
      return verdict(_tag, signature.includes(standard["webhook-signature"].slice(3, 46)))
    }
  },
  {
    name: "documents of L8",
    seeds: [
      '{"protocol_version":"0.1","service_name":"a","public_key":"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=","supported_algorithms":["ed25519"],"challenge_endpoint":"/l8/challenge"}',
      '{"challenge_id":"7f2c1f9e-3f0a-4c8e-9d51-0a9b2f6c1d11","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","timestamp":1750000000,"sender_public_key":"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=","signature":"AA=="}'
    ],
    words: ['"nonce"', '"timestamp"', '"public_key"', '"receiver_public_key"', '"challenge_id"', "ed25519", "=="],
    open: (input) => {
      const text = textOf(input)
      const told = [
        said(L8Handshake.decodeDocument(text)),
        said(L8Handshake.decodeChallenge(text)),
        said(L8Handshake.decodeAnswer(text)),
        said(L8.publicKey(text.slice(0, 60)))
      ]
      return told.join(" ")
    }
  },
  {
    name: "cron",
    seeds: [
      "*/5 * * * *",
      "30 2 * * *",
      "0 0 29 2 *",
      "@hourly",
      "0 9-17/2 1,15 JAN-MAR MON",
      "0 0 L * 5L",
      "10 0 12 * * ?"
    ],
    words: ["*", "/", "-", ",", "L", "W", "#", "?", "@daily", "SUN", "DEC", "60", "H"],
    open: (input) => {
      const made = Cron.parse(textOf(input), "Europe/Berlin")
      if (Result.isFailure(made)) return `${made.failure.field}: ${made.failure.reason}`
      let at = now
      for (let n = 0; n < 3; n++) {
        const next = Cron.next(made.success, at)
        if (next === undefined) return "fires no more"
        if (!(next > at) || next % 1000 !== 0) return wrong("a moment that is not after the one before")
        at = next
      }
      return at - now < 86_400_000 ? "fires within a day" : at - now < 366 * 86_400_000 ? "within a year" : "later"
    }
  },
  {
    name: "waits and quotas in headers",
    seeds: [
      "retry-after: 120",
      "retry-after: Wed, 21 Oct 2026 07:28:00 GMT",
      "retry-after-ms: 1500\nx-ratelimit-limit: 100\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 1750000060",
      'ratelimit: "a";r=50;t=30\nratelimit-policy: "a";q=100;w=60',
      "x-ezthrottle-rps: 2.5\nx-ezthrottle-max-concurrent: 10\nx-ezthrottle-account-queue: enabled",
      "ratelimit-limit: 100, 100;w=60\nratelimit-remaining: 3\nratelimit-reset: 1m2.5s"
    ],
    words: [
      "retry-after: ",
      "ratelimit: ",
      "x-ratelimit-reset: ",
      "\n",
      ";w=",
      "r=",
      "GMT",
      "1m",
      "ms",
      "2026-10-21T07:28:00Z"
    ],
    open: (input) => {
      const headers = headersIn(input)
      const pause = RetryAfter.parse(headers, now)
      const quota = RateLimitHeaders.parse(headers, now)
      const pace = Pacing.parse(headers)
      const date = HttpDate.parse(headers["retry-after"] ?? "")
      if (pause !== undefined && !isPause(pause)) return wrong("a pause that is none, or longer than a day")
      if (quota?.resetAfter !== undefined && !isPause(quota.resetAfter)) return wrong("a reset that is none")
      if ((quota?.limit ?? 0) < 0 || (quota?.remaining ?? 0) < 0) return wrong("a quota below zero")
      if (pace?.rps !== undefined && !(pace.rps >= 0.01 && pace.rps <= 1000)) return wrong("a pace beyond the bounds")
      if (!isMoment(date)) return wrong("a date that is none")
      return `${pause === undefined ? "no pause" : "pause"}, ${quota?.source ?? "no quota"}, ${pace === undefined ? "no pace" : "pace"}`
    }
  },
  {
    name: "settings",
    seeds: [
      "db: a.db\negress:\n  allow_private: true\n  allow: [10.0.0.0/8, a.example]\n",
      "pacing:\n  default: { rps: 2, max_concurrent: 3 }\n  hosts:\n    api.example.com:\n      rps: 5\n",
      "admission:\n  max_queued: 10\nretention: 30 days\nlimits:\n  body_bytes: 1000\n"
    ],
    words: [
      ...settingWords.map((name) => `${name}:`),
      "&a",
      "*a",
      "<<: *a",
      "|",
      "- ",
      "? ",
      "!!str",
      "%YAML 1.2\n",
      "---\n"
    ],
    open: (input) =>
      Result.match(ConfigFile.parse(textOf(input)), {
        onFailure: ({ message, problems }) =>
          message === "" ? wrong("a refusal without a word") : `refused at ${placeOf(problems[0]?.path ?? "")}`,
        onSuccess: () => "settings"
      })
  },
  {
    name: "stored row",
    seeds: [rowSeed],
    words: ['"state"', '"step"', '"result"', '"attempts"', "1e308", '"running"'],
    open: stored
  },
  {
    name: "CSV",
    seeds: ['id,name\r\n7,"Ann ""A"", Bee"\r\n', "a,b\n1,2\n\n3\n", '"a\nb","c"\n1,2'],
    words: ['"', '""', ",", "\r\n", "\n", "\u00ef\u00bb\u00bf"],
    open: (input) => {
      const read = (pieces: ReadonlyArray<string>) =>
        Effect.runSyncExit(Stream.runCollect(CsvRows.rows("a.csv", Stream.fromIterable(pieces))))
      const text = textOf(input)
      const whole = read([text])
      const inPieces = read(Array.from({ length: Math.ceil(text.length / 3) }, (_, n) => text.slice(3 * n, 3 * n + 3)))
      if (JSON.stringify(whole) !== JSON.stringify(inPieces)) return wrong("other rows where the text comes in pieces")
      return Exit.isSuccess(whole)
        ? `rows: ${whole.value.some((row) => row === undefined) ? "uneven" : "even"}`
        : "refused"
    }
  },
  {
    name: "search",
    seeds: ["job_01j9 a.example /v1", '"free text" a=1', "status:failed host:a.example"],
    words: ['"', "=", "job_", "https://", "a.example", "/"],
    open: (input) => {
      const found = Search.parse(textOf(input))
      return found.texts.every((text) => text !== "")
        ? Object.keys(found).toSorted().join(" ")
        : wrong("an empty text is looked for")
    }
  },
  {
    name: "Last-Event-ID",
    seeds: ["job_1.3", "job_1.", "", "job_2.1"],
    words: ["job_1", ".", "1", "000000000"],
    open: (input) => {
      const seen = seenBy(onlyId("job_1"), input)
      if (typeof seen !== "number") return refusal(seen)
      return Number.isSafeInteger(seen) ? "a place" : wrong("a place that is none")
    }
  }
]
