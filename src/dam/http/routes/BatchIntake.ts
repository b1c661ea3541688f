/**
 * The way in for batches: from a body of any length to groups of jobs, each stored with how far the batch is before much
 * more is read. A bad line is told by its number and spoils no other, unless all are to be shown together.
 */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import type { LineNote, StoredBatch } from "../../store/BatchRecords.ts"
import { refused, type Refused } from "../../intake/Refusal.ts"
import { type Line, lineOf } from "../../work/BatchLines.ts"
import { orRefused } from "../door/Answer.ts"
import { type Head, headOf, type Host, open, type Query } from "./BatchHead.ts"

/** A group is one commit: enough to make it cheap, little enough that others wait for milliseconds. */
const groupLines = 250
const groupBytes = 1_048_576

/** Whoever sends more of these has sent the wrong file. */
const refusedAtMost = 10_000

/** What taking lines goes by. */
interface Intaking {
  readonly host: Host
  readonly customer: string
  /** Of the request, as far as they hold for every line. */
  readonly headers: Readonly<Record<string, string>>
  /** Lines up to here are known already, but for those that were refused. */
  readonly known: number
  readonly again: ReadonlySet<number>
}

/** Takes a body, to its end or as far as it comes. */
export const take = Effect.fnUntraced(function* (
  host: Host,
  customer: string,
  request: HttpServerRequest,
  query: Query
): Effect.fn.Return<{ readonly id: string; readonly isNew: boolean }, Refused> {
  const { batches } = host.engine
  const head = yield* headOf(host, request, query)
  const { batch, isNamed, isNew } = yield* open(host, customer, head)
  if (batch.state !== "open") return { id: batch.id, isNew }
  if (head.first > batch.through + 1) return yield* missing(batch)
  const again = batch.refused === 0 ? none : yield* refusedLines(host, batch)
  const intaking: Intaking = { host, customer, headers: passing(request.headers), known: batch.through, again }
  const last = yield* Effect.tapError(takeAll(intaking, batch, head), () =>
    // nobody could go on with one that nobody knows by name
    isNamed || !batch.together ? Effect.void : Effect.ignore(batches.cancel(batch))
  )
  if (!head.staysOpen && last.state === "open") yield* orRefused(batches.close(last))
  return { id: batch.id, isNew }
})

/** Reads the next group while the one before it is being stored. */
const takeAll = Effect.fnUntraced(function* (
  self: Intaking,
  opened: StoredBatch,
  { first, read }: Head
): Effect.fn.Return<StoredBatch, Refused> {
  let batch = opened
  let number = first
  let stored: Group | undefined
  while (true) {
    const [next, after]: readonly [Group | undefined, StoredBatch] = yield* Effect.all(
      [readGroup(self, read, number), stored === undefined ? Effect.succeed(batch) : store(self, batch, stored)],
      { concurrency: 2 }
    )
    batch = after
    if (batch.refused > refusedAtMost) return yield* tooMany(batch)
    if (next === undefined || batch.state !== "open") return batch
    if (batch.together && next.bad !== undefined) {
      yield* store(self, batch, next)
      return yield* badLine(next.bad)
    }
    number = next.through + 1
    stored = next
  }
})

/** Lines that were read. */
interface Group {
  readonly lines: ReadonlyArray<Line>
  readonly through: number
  /** The first that is refused. */
  readonly bad: Extract<LineNote, { readonly _tag: "Refused" }> | undefined
}

/** Reads the next lines, and what each of them is; nothing at the end. */
const readGroup = Effect.fnUntraced(function* (
  self: Intaking,
  read: Head["read"],
  first: number
): Effect.fn.Return<Group | undefined, Refused> {
  const texts = yield* read(groupLines, groupBytes)
  if (texts === undefined) return undefined
  const lines: Array<Line> = []
  let bad: Group["bad"]
  let number = first
  for (const text of texts) {
    const line = number++
    if (line <= self.known && !self.again.has(line)) continue
    if (text !== undefined && isBlank(text)) continue
    const one = yield* readLine(self, line, text)
    if ("_tag" in one) bad ??= one
    lines.push(one)
  }
  return { lines, bad, through: number - 1 }
})

const readLine = (
  { customer, headers, host }: Intaking,
  line: number,
  body: Uint8Array | undefined
): Effect.Effect<Line, Refused> => {
  if (body === undefined) {
    const problem = `is longer than ${host.limits.bodyBytes} bytes`
    return Effect.succeed({ _tag: "Refused", line, code: "body_too_large", field: undefined, problem })
  }
  return Effect.flatMap(
    Effect.result(host.intake.cloud({ customer, body, headers })),
    (read): Effect.Effect<Line, Refused> => {
      if (Result.isSuccess(read)) return Effect.succeed(lineOf(line, read.success))
      const { code, field, problem, status } = read.failure
      // what passes is no fault of the line
      return status === 429 || status >= 500
        ? Effect.fail(read.failure)
        : Effect.succeed({ _tag: "Refused", line, code, field, problem })
    }
  )
}

/** Stores a group; where somebody else has taken some of its lines meanwhile, the others. */
const store = Effect.fnUntraced(function* (
  { host }: Intaking,
  opened: StoredBatch,
  { lines, through }: Group
): Effect.fn.Return<StoredBatch, Refused> {
  const { batches } = host.engine
  let batch = opened
  while (batch.state === "open") {
    const { through: known } = batch
    const again = lines.filter(({ line }) => line <= known)
    const news = lines.filter(({ line }) => line > known)
    if (again.length > 0) {
      const taken = yield* orRefused(batches.take(batch, { lines: again, through: known, isAgain: true }))
      batch = taken.batch ?? { ...batch, state: "ended" }
      if (!taken.isTaken) continue
    }
    if (through <= known) return batch
    const taken = yield* orRefused(batches.take(batch, { lines: news, through, isAgain: false }))
    batch = taken.batch ?? { ...batch, state: "ended" }
    // a customer may have had room for some
    if (taken.isTaken && batch.through >= through) return batch
  }
  return batch
})

/** All of them are at most as many as a batch may have. */
const refusedLines = ({ engine: { batches } }: Host, batch: StoredBatch): Effect.Effect<ReadonlySet<number>, Refused> =>
  Effect.map(
    orRefused(batches.notes(batch, "Refused", 0, 2 * refusedAtMost)),
    (notes) => new Set(notes.map(({ line }) => line))
  )

/** What a request says of itself holds for each of its lines, but for its key, which names the batch. */
const passing = ({ "account-queue": queue, traceparent }: Readonly<Record<string, string | undefined>>) => ({
  ...(queue === undefined ? {} : { "account-queue": queue }),
  ...(traceparent === undefined ? {} : { traceparent })
})

const isBlank = (text: Uint8Array): boolean => text.every((byte) => byte <= 0x20)

const missing = ({ id, through }: StoredBatch): Refused =>
  refused(409, "lines_missing", `batch ${id} has its lines up to ${through}; send line ${through + 1} next`, {
    extra: { line: through + 1 }
  })

const badLine = ({ code, field, line, problem }: NonNullable<Group["bad"]>): Refused =>
  refused(400, code, `line ${line}: ${problem}`, { field, extra: { line } })

const tooMany = ({ id }: StoredBatch): Refused =>
  refused(400, "too_many_refused", `more than ${refusedAtMost} lines of batch ${id} were refused; correct them first`)

const none: ReadonlySet<number> = new Set()
