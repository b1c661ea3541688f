/** What `ezthrottle failures` does. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Shapes from "../../dam/api/FailureShapes.ts"
import * as Output from "../output/Output.ts"
import type { Query } from "../service/Query.ts"
import { Service } from "../service/Service.ts"

/** Shows what fails, where and why. */
export const list = Effect.fnUntraced(function* (query: Query, limit: number) {
  const service = yield* Service
  const { json, value } = yield* service.call({
    path: "/api/v1/failures",
    query: { ...query, limit: Math.min(limit, 200) },
    schema: Shapes.Failures
  })
  const now = yield* Clock.currentTimeMillis
  yield* Output.print(json, (paint) => table(paint, value.failures, now))
  const { failures, groups, seen } = value
  const more = groups - failures.length
  if (more > 0) yield* Output.note(`and ${more} more; --limit shows them, up to 200`)
  if (!seen.is_exact) {
    const since = seen.since === null ? "" : `, which goes back to ${Output.time(seen.since)}`
    yield* Output.note(`only the newest ${seen.jobs} failed jobs were looked at${since}; --until looks further back`)
  }
})

const table = (paint: Output.Paint, failures: ReadonlyArray<typeof Shapes.FailureGroup.Type>, now: number): string =>
  failures.length === 0
    ? "no failed jobs"
    : Output.table(
        paint,
        ["HOST", "STATUS", "WHY", "JOBS", "FIRST", "LAST", "NEWEST"],
        failures.map((group) => [
          Output.plain(group.lane, 60),
          group.response_status === null ? "-" : String(group.response_status),
          why(group),
          String(group.jobs),
          `${Output.span(now - group.first_seen)} ago`,
          `${Output.span(now - group.last_seen)} ago`,
          group.newest_job_id
        ])
      )

const why = ({ error_kind: kind, error_tag: tag }: typeof Shapes.FailureGroup.Type): string =>
  Output.plain(`${tag ?? "unknown"}${kind === undefined ? "" : ` (${kind})`}`, 60)
