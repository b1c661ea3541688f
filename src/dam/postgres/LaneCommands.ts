/** What lanes need of the database, as statements. */
import * as Effect from "effect/Effect"
import type { LaneCommands } from "../rows/Commands.ts"
import { distinct } from "./Query.ts"
import { type Over, put, type Session } from "./Session.ts"

const savePace = put(
  "paces",
  ["lane", "account"],
  ["rps", "max_concurrent", "account_queues", "held_until", "seen_at", "held_by", "taught_at", "kept"]
)

/** The commands. */
export const laneCommands = (on: Session) =>
  ({
    lanes: () => on.all(distinct("lane", "jobs WHERE state = 'queued'")),
    queues: (lane) => on.all(distinct("account", "jobs WHERE state = 'queued' AND lane = $1", "queue"), lane),
    page: (lane, queue, after, limit) =>
      on.all(
        `SELECT id, account AS queue, seq, limits FROM jobs
         WHERE state = 'queued' AND lane = $1 AND account = $2 AND seq > $3 ORDER BY lane, account, seq LIMIT $4`,
        lane,
        queue,
        after,
        limit
      ),
    depth: (lane) =>
      Effect.map(on.one("SELECT count(*) AS jobs FROM jobs WHERE state = 'queued' AND lane = $1", lane), (row) =>
        Number(row?.["jobs"])
      ),
    position: Effect.fnUntraced(function* (id) {
      const job = yield* on.one("SELECT lane, seq FROM jobs WHERE id = $1 AND state = 'queued'", id)
      if (job === undefined) return undefined
      const before = yield* on.one(
        "SELECT count(*) AS jobs FROM jobs WHERE state = 'queued' AND lane = $1 AND seq < $2",
        job["lane"] ?? null,
        job["seq"] ?? null
      )
      return Number(before?.["jobs"])
    }),
    paces: () => on.all("SELECT * FROM paces"),
    savePace: ({ account, accountQueues, heldBy, heldUntil, kept, lane, maxConcurrent, rps, seenAt, taughtAt }) =>
      Effect.asVoid(
        on.run(savePace, lane, account, rps, maxConcurrent, accountQueues, heldUntil, seenAt, heldBy, taughtAt, kept)
      )
  }) satisfies Pick<Over<LaneCommands>, "depth" | "lanes" | "page" | "paces" | "position" | "queues" | "savePace">
