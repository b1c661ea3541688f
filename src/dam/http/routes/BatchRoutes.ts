/** What the API does with batches: take them, show them, wait for their end, call them off, run again what failed. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { Api } from "../../api/Api.ts"
import * as Shapes from "../../api/BatchShapes.ts"
import { refused, type Refused } from "../../intake/Refusal.ts"
import type { StoredBatch } from "../../store/BatchRecords.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import type { Asked, Desk, OfOneJob } from "../door/Asked.ts"
import type { Host, Query } from "./BatchHead.ts"
import * as BatchIntake from "./BatchIntake.ts"

/** What the API does with the batches of a customer. */
export interface Batches {
  readonly submit: (customer: string, request: HttpServerRequest, query: Query) => Effect.Effect<Answer, Refused>
  readonly get: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly list: (customer: string, cursor: string | undefined, limit: number) => Effect.Effect<Answer, Refused>
  readonly wait: (customer: string, id: string, timeout: number) => Effect.Effect<Answer, Refused>
  readonly lines: (customer: string, id: string, asked: LinesAsked) => Effect.Effect<Answer, Refused>
  readonly cancel: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly rerun: (customer: string, id: string) => Effect.Effect<Answer, Refused>
}

interface LinesAsked {
  readonly kind: "refused" | "duplicate"
  readonly behind?: number | undefined
  readonly limit?: number | undefined
}

/** Makes the handlers. */
export const make = (host: Host): Batches => {
  const { engine, leaving, limits } = host
  const { batches } = engine

  const find = (customer: string, id: string): Effect.Effect<StoredBatch, Refused> =>
    Effect.flatMap(orRefused(batches.get(customer, id)), (batch) =>
      batch === undefined
        ? Effect.fail(refused(404, "batch_not_found", "there is no batch of this id"))
        : Effect.succeed(batch)
    )

  const show = (batch: StoredBatch, status = 200): Effect.Effect<Answer, Refused> =>
    orRefused(
      Effect.gen(function* () {
        const counts = yield* batches.counts(batch)
        const refusedLines = batch.refused === 0 ? [] : yield* batches.notes(batch, "Refused", 0, named)
        const duplicates = batch.duplicates === 0 ? [] : yield* batches.notes(batch, "Duplicate", 0, named)
        return json(status, Shapes.view(batch, { counts, refused: refusedLines, duplicates }))
      })
    )

  const shown = (customer: string, id: string) => Effect.flatMap(find(customer, id), (batch) => show(batch))

  return {
    submit: (customer, request, query) =>
      Effect.flatMap(BatchIntake.take(host, customer, request, query), ({ id, isNew }) =>
        Effect.flatMap(find(customer, id), (batch) => show(batch, isNew ? 201 : 200))
      ),
    get: shown,
    list: (customer, cursor, limit) =>
      Effect.map(orRefused(batches.list(customer, cursor, limit)), (page) =>
        json(200, { batches: page.batches.map(Shapes.summary), cursor: page.cursor ?? null })
      ),
    wait: Effect.fnUntraced(function* (customer, id, timeout) {
      const left = Deferred.await(leaving)
      const until = (yield* Clock.currentTimeMillis) + Math.min(timeout, limits.waitMillis)
      while (true) {
        const batch = yield* find(customer, id)
        const now = yield* Clock.currentTimeMillis
        // what its end starts is there then
        if (batch.isTold || now >= until || Deferred.isDoneUnsafe(leaving)) return yield* show(batch)
        yield* Effect.raceFirst(batches.changed(batch), left).pipe(
          // looked at now and then as well: it may have ended between the look and the wait
          Effect.timeoutOrElse({ duration: Math.min(until - now, lookAgain), orElse: () => Effect.void })
        )
      }
    }),
    lines: (customer, id, { behind = 0, kind, limit = named }) =>
      Effect.flatMap(find(customer, id), (batch) =>
        Effect.map(
          orRefused(batches.notes(batch, kind === "refused" ? "Refused" : "Duplicate", behind, limit)),
          (notes) =>
            json(200, {
              lines: notes.map(Shapes.line),
              behind: notes.length < limit ? null : (notes.at(-1)?.line ?? null)
            })
        )
      ),
    cancel: (customer, id) =>
      Effect.flatMap(find(customer, id), (batch) =>
        Effect.andThen(orRefused(batches.cancel(batch)), shown(customer, id))
      ),
    rerun: (customer, id) =>
      Effect.flatMap(find(customer, id), (batch) =>
        Effect.flatMap(orRefused(batches.rerun(batch)), (made) => show(made, 201))
      )
  }
}

/** The routes. */
export const group = (batches: Batches, { asking }: Desk) => {
  const ofOne = (answer: (customer: string, id: string) => Effect.Effect<Answer, Refused>) =>
    asking(({ customer }, { params }: OfOneJob) => answer(customer, params.id))
  return HttpApiBuilder.group(Api, "batches", (handlers) =>
    handlers
      .handleRaw(
        "submit",
        asking(({ customer }, { query, request }: Asked & { readonly query: Query }) =>
          batches.submit(customer, request, query)
        )
      )
      .handleRaw(
        "list",
        asking(({ customer }, { query }) => batches.list(customer, query.cursor, query.limit ?? pageSize))
      )
      .handleRaw("get", ofOne(batches.get))
      .handleRaw(
        "wait",
        asking(({ customer }, { params, query }) => batches.wait(customer, params.id, query.timeout_ms ?? defaultWait))
      )
      .handleRaw(
        "lines",
        asking(({ customer }, { params, query }) => batches.lines(customer, params.id, query))
      )
      .handleRaw("cancel", ofOne(batches.cancel))
      .handleRaw("rerun", ofOne(batches.rerun))
  )
}

const named = 100
const pageSize = 50
const defaultWait = 20_000
const lookAgain = 2000
