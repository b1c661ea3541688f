/** What `ezthrottle notices` does. */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Shapes from "../../dam/api/NoticeShapes.ts"
import * as Output from "../output/Output.ts"
import { problem } from "../output/Problem.ts"
import { Service } from "../service/Service.ts"

const path = "/api/v1/notices"

/** Shows who is told what, and what is not over. */
export const get = Effect.gen(function* () {
  const service = yield* Service
  const { json, value } = yield* service.call({ path, schema: Shapes.Notices })
  yield* Output.print(json, (paint) => text(paint, value))
})

/** What is chosen anew. */
export interface Choice {
  readonly urls: ReadonlyArray<string>
  readonly events: ReadonlyArray<string>
  readonly off: boolean
  /** By the names of the API. */
  readonly thresholds: Readonly<Record<string, number>>
}

/** Chooses who is told what and from when on; what is not said stays as it is. */
export const set = Effect.fnUntraced(function* ({ events, off, thresholds, urls }: Choice) {
  if (!off && urls.length === 0 && events.length === 0 && Object.keys(thresholds).length === 0) {
    return yield* Effect.fail(problem("usage", "nothing is set", { next: "say --to, --event, --off or a threshold" }))
  }
  const service = yield* Service
  const { value: now } = yield* service.call({ path, schema: Shapes.Notices })
  yield* put({
    urls: off ? [] : urls.length > 0 ? urls : now.urls,
    events: events.length > 0 ? events : now.events,
    thresholds: { ...now.thresholds, ...thresholds }
  })
})

const put = Effect.fnUntraced(function* (body: Schema.JsonObject) {
  const service = yield* Service
  const { json, value } = yield* service.call({ method: "PUT", path, body, schema: Shapes.Notices })
  yield* Output.print(json, (paint) => text(paint, value))
})

/** Goes back to what is configured. */
export const reset = put({})

const text = (paint: Output.Paint, notices: typeof Shapes.Notices.Type): string =>
  [
    Output.facts(paint, [
      ["told to", notices.urls.length === 0 ? "nobody" : notices.urls.map((url) => Output.plain(url)).join(", ")],
      ["events", notices.events.join(", ")],
      ...Object.entries(notices.thresholds).map(([name, value]) => [name, String(value)] as const),
      ["from", notices.source === "chosen" ? "the API" : "the configuration"]
    ]),
    ...notices.open.map(
      ({ phase, since, subject }) =>
        `  ${paint("yellow", phase)}  ${Output.plain(subject, 200)}  since ${Output.time(since)}`
    ),
    ...notices.endpoints.map(
      ({ failures, url }) => `  ${paint("red", "not told")}  ${Output.plain(url, 200)}  ${failures} failures in a row`
    )
  ].join("\n")
