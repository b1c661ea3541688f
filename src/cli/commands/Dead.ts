/** What `ezthrottle dead` does. */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Jobs from "./Jobs.ts"
import * as Output from "../output/Output.ts"
import * as Pages from "./Pages.ts"
import { problem } from "../output/Problem.ts"
import { Service } from "../service/Service.ts"
import * as Shapes from "../../dam/api/DeliveryShapes.ts"

export interface Filter {
  readonly job: string | undefined
  readonly host: string | undefined
  readonly since: number | undefined
  readonly until: number | undefined
}

export const list = (filter: Filter, limit: number) =>
  Pages.list({
    path: "/api/v1/dead-letters",
    query: wire(filter),
    schema: Shapes.DeadLetterPage,
    name: "dead_letters",
    entries: ({ dead_letters: letters }) => letters,
    next: ({ next_cursor: cursor }) => cursor,
    limit,
    text: table
  })

const table = (paint: Output.Paint, letters: ReadonlyArray<typeof Shapes.DeadLetter.Type>, now: number): string =>
  letters.length === 0
    ? "no dead letters"
    : Output.table(
        paint,
        ["DELIVERY", "JOB", "WEBHOOK", "WHY", "TRIES", "LAST", "SINCE"],
        letters.map(({ attempts, dead_at, delivery_id, job_id, reason, url }) => {
          const last = attempts.at(-1)
          return [
            delivery_id,
            job_id,
            Output.target(url),
            Output.plain(reason, 40),
            String(attempts.length),
            last === undefined ? "-" : String(last.status ?? Output.plain(last.error ?? "no answer", 60)),
            Output.span(now - dead_at)
          ]
        })
      )

const wire = ({ host, job, since, until }: Filter) => ({ host, job_id: job, since, until })

export interface Choice extends Filter {
  readonly ids: ReadonlyArray<string>
  readonly all: boolean
  readonly rps: number | undefined
}

export const replay = Effect.fnUntraced(function* (choice: Choice) {
  const service = yield* Service
  if (choice.ids.length > 0) {
    yield* alone(choice)
    return yield* Jobs.each(choice.ids, (id) =>
      Effect.map(
        service.call({
          method: "POST",
          path: `/api/v1/dead-letters/${encodeURIComponent(id)}/replay`,
          schema: Shapes.Replayed
        }),
        ({ json }) => ({ json, text: `${id} is queued for delivery` })
      )
    )
  }
  yield* chosen(choice, "replay")
  const { json, value } = yield* service.call({
    method: "POST",
    path: "/api/v1/dead-letters/replay",
    body: said({ ...wire(choice), rps: choice.rps }),
    schema: Shapes.Replayed
  })
  yield* Output.print(json, () => `${are(value.replayed)} queued for delivery`)
})

export const purge = Effect.fnUntraced(function* (choice: Choice) {
  const service = yield* Service
  yield* chosen(choice, "purge")
  const { json, value } = yield* service.call({
    method: "POST",
    path: "/api/v1/dead-letters/purge",
    body: said(wire(choice)),
    schema: Shapes.Purged
  })
  yield* Output.print(json, () => `${are(value.purged)} deleted`)
})

const are = (count: number): string => (count === 1 ? "1 is" : `${count} are`)

const isFiltered = ({ host, job, since, until }: Filter): boolean =>
  [host, job, since, until].some((value) => value !== undefined)

/** A filter that was forgotten must not mean all of them. */
const chosen = (choice: Choice, what: string) =>
  isFiltered(choice) !== choice.all
    ? Effect.void
    : Effect.fail(
        problem("usage", choice.all ? `--all leaves nothing to filter` : `nothing says which dead letters to ${what}`, {
          next: "give a filter (--host, --job, --since, --until), or --all"
        })
      )

const alone = (choice: Choice) =>
  isFiltered(choice) || choice.all || choice.rps !== undefined
    ? Effect.fail(problem("usage", "ids and filters exclude each other", { next: "give the one or the other" }))
    : Effect.void

const said = (body: Readonly<Record<string, string | number | undefined>>): Schema.JsonObject =>
  Object.fromEntries(Object.entries(body).filter((entry): entry is [string, string | number] => entry[1] !== undefined))
