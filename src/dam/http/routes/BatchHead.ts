/** What is said of a batch beside its lines: in the query, in a header, in a first line, or around the list of its jobs. */
import type * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Readable } from "node:stream"
import type { Step } from "../../../step/StepModel.ts"
import { ReadBatch } from "../../api/BatchShapes.ts"
import { isObject, readJson } from "../../intake/Body.ts"
import type { Intake } from "../../intake/Intake.ts"
import type { Limits } from "../../intake/Limits.ts"
import { badField, refused, type Refused } from "../../intake/Refusal.ts"
import * as IntakeId from "../../job/JobId.ts"
import type { StoredBatch } from "../../store/BatchRecords.ts"
import type { Engine } from "../../work/Engine.ts"
import { orRefused } from "../door/Answer.ts"
import { readChoice } from "../door/Choice.ts"
import { beginningOf, lines, unhurry } from "../door/Lines.ts"
import { faultInContent, makeRoom, readBody, sourceOf } from "../door/Request.ts"

/** What the handlers work with. */
export interface Host {
  readonly engine: Pick<Engine["Service"], "batches">
  readonly intake: Intake
  readonly limits: Limits
  /** Done when the dam goes down: whoever waits is answered. */
  readonly leaving: Deferred.Deferred<void>
}

/** What is said of a batch in the query. */
export interface Query {
  readonly batch_id?: string | undefined
  readonly together?: "true" | "false" | undefined
  readonly open?: "true" | "false" | undefined
  readonly first?: number | undefined
}

type Texts = ReadonlyArray<Uint8Array | undefined>

/** What was said, and the lines behind it. */
export interface Head {
  readonly said: typeof ReadBatch.Type
  /** The number of the first line. */
  readonly first: number
  readonly staysOpen: boolean
  /** Reads about so many lines or bytes; nothing at the end. */
  readonly read: (lines: number, bytes: number) => Effect.Effect<Texts | undefined, Refused>
}

/** Reads what is said. */
export const headOf = Effect.fnUntraced(function* (
  host: Host,
  request: HttpServerRequest,
  query: Query
): Effect.fn.Return<Head, Refused> {
  const { limits } = host
  const source = sourceOf(request)
  const type = request.headers["content-type"] ?? ""
  const isLines = LINES.test(type)
  const fault = faultInContent(isLines ? { ...source.headers, "content-type": "application/json" } : source.headers)
  if (fault !== undefined) return yield* fault
  unhurry(source)
  const { first = 1 } = query
  const around = { first, staysOpen: query.open === "true" }
  const beginning = isLines ? undefined : yield* beginningOf(source, limits)
  if (beginning === OBJECT) {
    const document = yield* readDocument(host, request)
    return { ...around, said: inAll(document.said, query, request), read: gathering(source, onceOf(document.jobs)) }
  }
  if (!isLines && beginning === undefined)
    return { ...around, said: inAll({}, query, request), read: gathering(source, Effect.undefined) }
  const rest = lines(source, { form: isLines ? "lines" : "list", limits })
  const texts = yield* rest
  const said = isLines && texts?.[0] !== undefined && first === 1 ? yield* firstLine(host, texts[0]) : undefined
  const begun = said === undefined ? texts : texts?.slice(1)
  return {
    ...around,
    said: inAll(said ?? {}, query, request),
    read: gathering(source, thenOf(begun, rest))
  }
})

const OBJECT = 0x7b
const LINES = /^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines)[ \t]*(?:;|$)/i

/** One document with all that is said and all jobs: as large as any body, no larger. */
const readDocument = Effect.fnUntraced(function* ({ limits }: Host, request: HttpServerRequest) {
  const body = yield* readBody(request, { limits, room: makeRoom(limits) })
  const document = yield* Effect.fromResult(readJson(body, { ...limits, jsonKeys: manyKeys }))
  if (!isObject(document)) return yield* badField("body", "Expected object")
  const { jobs, ...said } = document
  if (!isList(jobs)) return yield* badField("jobs", "Expected array")
  return { said: yield* readChoice(ReadBatch, bytesOf(said), limits), jobs: jobs.map(bytesOf) }
})

/** A list of jobs has as many keys as fit. */
const manyKeys = 1_000_000

/** `{"batch": {…}}` is no job. */
const firstLine = ({ limits }: Host, text: Uint8Array): Effect.Effect<typeof ReadBatch.Type | undefined, Refused> => {
  const read = readJson(text, limits)
  if (Result.isFailure(read) || !isObject(read.success)) return Effect.undefined
  const { batch, ...others } = read.success
  if (batch === undefined || Object.keys(others).length > 0) return Effect.undefined
  return isObject(batch)
    ? Effect.mapError(readChoice(ReadBatch, bytesOf(batch), limits), (refusal) => within("batch.", refusal))
    : Effect.fail(badField("batch", "Expected object"))
}

/** The query and the header say the same things. */
const inAll = (
  said: typeof ReadBatch.Type,
  { batch_id: id, together }: Query,
  { headers }: HttpServerRequest
): typeof ReadBatch.Type => ({
  ...said,
  batch_id: said.batch_id ?? id ?? headers["idempotency-key"] ?? null,
  together: said.together ?? (together === undefined ? null : together === "true")
})

/** Stores the batch, or finds it. */
export const open = Effect.fnUntraced(function* (
  host: Host,
  customer: string,
  { said }: Head
): Effect.fn.Return<{ readonly batch: StoredBatch; readonly isNew: boolean; readonly isNamed: boolean }, Refused> {
  const { batches } = host.engine
  const given = said.batch_id ?? undefined
  if (given !== undefined && !ID.test(given)) {
    return yield* badField("batch_id", "Expected 1 to 100 letters, digits, dots, hyphens and underscores")
  }
  const webhook = said.webhook_url ?? undefined
  if (webhook !== undefined) yield* host.intake.webhook("webhook_url", webhook)
  const together = said.together === true
  const opened = yield* orRefused(
    batches.open({
      customer,
      id: given ?? (yield* IntakeId.fresh).replace("job_", "batch_"),
      together,
      webhook,
      metadata: said.metadata ?? {},
      onComplete: yield* stepOf(host, customer, "on_complete", said.on_complete ?? undefined),
      onAnyFailure: yield* stepOf(host, customer, "on_any_failure", said.on_any_failure ?? undefined)
    })
  )
  if (opened.batch.rerunOf !== undefined && opened.batch.state === "open") {
    return yield* refused(
      409,
      "batch_differs",
      "batch_id: this batch runs jobs of another one again, and takes no lines",
      {
        field: "batch_id"
      }
    )
  }
  if (opened.batch.together !== together && opened.batch.state === "open") {
    return yield* refused(409, "batch_differs", "together: the batch of this id is taken the other way", {
      field: "together"
    })
  }
  return { ...opened, isNamed: given !== undefined }
})

const stepOf = (
  { intake }: Host,
  customer: string,
  field: string,
  job: Schema.Json | undefined
): Effect.Effect<Step | undefined, Refused> => {
  if (job === undefined) return Effect.undefined
  if (!isObject(job)) return Effect.fail(badField(field, "Expected object"))
  return Effect.mapError(intake.step({ customer, body: bytesOf(job), headers: {} }), (refusal) =>
    within(`${field}.`, refusal)
  )
}

/** The refusal of a part as one of the body that it stands in. */
const within = (place: string, { code, extra, field, headers, problem, status }: Refused): Refused =>
  refused(
    status,
    code,
    field !== undefined && problem.startsWith(field) ? `${place}${problem}` : `${place.slice(0, -1)}: ${problem}`,
    { field: field === undefined ? undefined : `${place}${field}`, headers, extra }
  )

type Read = Effect.Effect<Texts | undefined, Refused>

/** Reads on while there is something to read without waiting. */
const gathering = (source: Readable, read: Read): Head["read"] => {
  let left: Texts = []
  return Effect.fnUntraced(function* (most: number, bytes: number): Effect.fn.Return<Texts | undefined, Refused> {
    let found = left
    let isOver = false
    while (!isOver && (found.length === 0 || (found.length < most && source.readableLength > 0))) {
      const next = yield* read
      isOver = next === undefined
      // never as arguments: there may be more than a call takes
      if (next !== undefined) found = found.length === 0 ? next : found.concat(next)
    }
    let size = 0
    let taken = 0
    while (taken < found.length && taken < most && (taken === 0 || size < bytes)) size += found[taken++]?.length ?? 0
    left = found.slice(taken)
    return taken === 0 ? undefined : found.slice(0, taken)
  })
}

const onceOf = (texts: Texts): Read => {
  let isRead = false
  return Effect.sync(() => {
    if (isRead || texts.length === 0) return undefined
    isRead = true
    return texts
  })
}

const thenOf = (texts: Texts | undefined, rest: Read): Read => {
  const begun = onceOf(texts ?? [])
  return Effect.flatMap(begun, (first) => (first === undefined ? rest : Effect.succeed(first)))
}

const bytesOf = (json: Schema.Json): Uint8Array => new TextEncoder().encode(JSON.stringify(json))

const isList = (json: Schema.Json | undefined): json is ReadonlyArray<Schema.Json> => Array.isArray(json)

const ID = /^[A-Za-z0-9._~-]{1,100}$/
