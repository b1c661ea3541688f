import { assert, describe, it } from "@effect/vitest"
import { defaultPace } from "../../../src/engine/pace/Gate.ts"
import type { HeldBy } from "../../../src/dam/store/LaneRecords.ts"
import type { Lesson } from "../../../src/dam/lane/Learning.ts"
import { learn } from "../../../src/dam/lane/Learning.ts"
import { heard } from "../../../src/engine/pace/Hearing.ts"
import * as Meter from "../../../src/engine/pace/Meter.ts"
import type { Said } from "../../../src/engine/pace/Said.ts"
import type { Answer } from "../../../src/engine/Refusal.ts"
import * as Refusal from "../../../src/engine/Refusal.ts"
import * as Pacing from "../../../src/engine/Pacing.ts"
import limiters from "../../fixtures/limiter-headers.json" with { type: "json" }
import { fixed } from "../support.ts"

const nowMillis = Date.UTC(2026, 9, 21, 7, 28, 0)

interface Row {
  readonly says: string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly refusals?: number
  readonly learns: Partial<Lesson>
  /** What brought the hold, if it is no `Retry-After`. */
  readonly by?: HeldBy["reason"]
}

const table: ReadonlyArray<Row> = [
  { says: "nothing from an answer without headers", learns: {} },
  { says: "nothing from a failure that is no refusal", status: 503, learns: {} },
  {
    says: "rate and concurrency",
    headers: { "x-aqueduct-rps": "0.5", "x-aqueduct-max-concurrent": "7" },
    learns: { rps: 0.5, maxConcurrent: 7 }
  },
  { says: "the second namespace", headers: { "x-ezthrottle-rps": "12" }, learns: { rps: 12 } },
  { says: "the third namespace", headers: { "x-aquifer-max-concurrent": "3" }, learns: { maxConcurrent: 3 } },
  {
    says: "from the first namespace alone",
    headers: { "x-aqueduct-rps": "1", "x-ezthrottle-rps": "9", "x-ezthrottle-max-concurrent": "9" },
    learns: { rps: 1 }
  },
  {
    says: "account queues switched on",
    headers: { "x-aqueduct-account-queue": "enabled" },
    learns: { accountQueues: true }
  },
  {
    says: "account queues switched off",
    headers: { "x-aqueduct-account-queue": "Disabled" },
    learns: { accountQueues: false }
  },
  {
    says: "no more than the bounds",
    headers: { "x-aqueduct-rps": "99999", "x-aqueduct-max-concurrent": "99999" },
    learns: { rps: 1000, maxConcurrent: 100 }
  },
  { says: "no less than the bounds", headers: { "x-aqueduct-rps": "0.0001" }, learns: { rps: 0.01 } },
  ...["NaN", "-1", "0", "5;x", "1e9", ""].map((value) => ({
    says: `nothing from the rate "${value}", and counts it`,
    headers: { "x-aqueduct-rps": value },
    learns: { ignored: 1 }
  })),
  { says: "a hold from Retry-After in seconds", status: 429, headers: { "retry-after": "3" }, learns: { hold: 3000 } },
  {
    says: "a hold from Retry-After as a date",
    status: 429,
    headers: { "retry-after": "Wed, 21 Oct 2026 07:29:30 GMT" },
    learns: { hold: 90_000 }
  },
  { says: "a hold from Retry-After of a 503", status: 503, headers: { "retry-after": "2" }, learns: { hold: 2000 } },
  {
    says: "a hold of a day at most",
    status: 429,
    headers: { "retry-after": "999999" },
    learns: { hold: 86_400_000 }
  },
  { says: "a hold of a second from a bare 429", status: 429, learns: { hold: 1000 }, by: "refused" },
  {
    says: "a doubled hold from a bare 429 after a refusal",
    status: 429,
    refusals: 1,
    learns: { hold: 2000 },
    by: "refused"
  },
  {
    says: "a hold of ten minutes from a bare 429 after many",
    status: 429,
    refusals: 10,
    learns: { hold: 600_000 },
    by: "refused"
  },
  {
    says: "a hold of a day at most from a bare 429",
    status: 429,
    refusals: 30,
    learns: { hold: 86_400_000 },
    by: "refused"
  },
  {
    says: "a hold until the limit's reset from a 429",
    status: 429,
    headers: { ratelimit: '"default";r=0;t=20' },
    learns: { hold: 20_000 },
    by: "rate_limit"
  },
  {
    says: "a hold from a success that used the limit up",
    headers: { ratelimit: '"default";r=0;t=20' },
    learns: { hold: 20_000 },
    by: "rate_limit"
  },
  {
    says: "no hold while something of the limit is left",
    headers: { ratelimit: '"default";r=1;t=20' },
    learns: {}
  },
  {
    says: "Retry-After rather than the limit's reset",
    status: 429,
    headers: { "retry-after": "5", ratelimit: '"default";r=0;t=20' },
    learns: { hold: 5000 }
  },
  ...["0", "Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:00:00 GMT", "0.2"].map((value) => ({
    says: `our own back-off from a refusal that says "${value}"`,
    status: 429,
    headers: { "retry-after": value },
    refusals: 2,
    learns: { hold: 4000 },
    by: "refused" as const
  })),
  {
    says: "our own back-off from a refusal whose reset has just passed",
    status: 429,
    headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1445412480" },
    learns: { hold: 1000 },
    by: "refused"
  },
  {
    says: "our own back-off after an announced wait that was kept and too short",
    status: 429,
    headers: { "retry-after": "5" },
    refusals: 4,
    learns: { hold: 16_000 },
    by: "refused"
  },
  {
    says: "no hold from a success that says when to look again",
    status: 202,
    headers: { "retry-after": "5" },
    learns: {}
  },
  { says: "no hold from a 404", status: 404, headers: { "retry-after": "3600" }, learns: {} },
  {
    says: "a hold of a second from the second 503 in a row",
    status: 503,
    refusals: 1,
    learns: { hold: 1000 },
    by: "refused"
  },
  { says: "a doubled hold from the next 503", status: 503, refusals: 2, learns: { hold: 2000 }, by: "refused" },
  {
    says: "a hold from a 403 that announces a wait",
    status: 403,
    headers: { "retry-after": "3" },
    learns: { hold: 3000 }
  },
  {
    says: "no hold from an account whose quota is used up",
    status: 429,
    headers: { "x-should-retry": "false", "retry-after": "3" },
    learns: {}
  },
  {
    says: "a hold of a second where nothing is left and no reset is told",
    headers: { "x-ratelimit-remaining": "0", "x-ratelimit-limit": "5" },
    learns: { hold: 1000 },
    by: "rate_limit"
  },
  {
    says: "a hold of one interval of the limit where that is told",
    headers: { "ratelimit-remaining": "0;w=21600", "ratelimit-limit": "100;w=21600" },
    learns: { hold: 216_000 },
    by: "rate_limit"
  },
  {
    says: "a wait in a word of its own, which is no nonsense",
    status: 429,
    headers: { "retry-after-ms": "4210" },
    learns: { hold: 4210 }
  },
  {
    says: "nothing from a wait that is nonsense, and counts it",
    headers: { "retry-after": "soon" },
    learns: { ignored: 1 }
  },
  {
    says: "pace and hold from one answer",
    status: 429,
    headers: { "retry-after": "5", "x-aqueduct-rps": "4" },
    learns: { rps: 4, hold: 5000 }
  }
]

const bounds = Pacing.defaultBounds

/** What a lane of the default pace takes from an answer, after refusals in a row, and when its next call may go. */
const taught = (answer: Answer, at: number, refusals: number) => {
  let meter = Meter.make(fixed(defaultPace))
  let now = 0
  const call = (id: number, said: Said | undefined) => {
    now = Math.max(now, Meter.opensAt(meter, now))
    meter = Meter.send(Meter.pass(meter, id, now), id, now)
    if (said !== undefined) meter = Meter.hear(meter, said, { sentAt: now, now })
    meter = Meter.leave(meter, id, { isTurnKept: true, now })
  }
  for (let id = 0; id < refusals; id++) call(id, { isAccepted: false })
  call(refusals, heard(Refusal.read(answer, at), answer.headers, at))
  const until = Meter.holdsUntil(meter, now)
  const hold = until > now ? Math.round(until - now) : undefined
  const lesson = learn(answer, { nowMillis: at, bounds, refusalsInARow: refusals, jobId: "job-1", hold })
  const paced = lesson.rps === undefined ? meter : Meter.learn(meter, lesson)
  return { lesson, next: Math.max(Meter.opensAt(paced, now) - now, lesson.hold ?? 0) }
}

describe("Learning, from the answers of real limiters,", () => {
  for (const { answer, expect, headers, limiter, now, status } of limiters) {
    it(`calls next in time: ${limiter}, ${answer}`, () => {
      const [least = 0, most = 0] = expect.next_call_ms
      const names = Object.entries(headers).map(([name, value]) => [name, String(value)])
      const { lesson, next } = taught({ status, headers: Object.fromEntries(names) }, Date.parse(now), 0)
      assert.isAtLeast(next, least)
      assert.isAtMost(next, most)
      assert.strictEqual(lesson.ignored, 0)
    })
  }
})

describe("Learning, from an answer,", () => {
  for (const { by = "retry_after", headers = {}, learns, refusals = 0, says, status = 200 } of table) {
    it(`takes ${says}`, () => {
      const { lesson } = taught({ status, headers }, nowMillis, refusals)
      assert.deepStrictEqual(lesson, {
        rps: undefined,
        maxConcurrent: undefined,
        accountQueues: undefined,
        hold: undefined,
        ignored: 0,
        ...learns,
        ...(learns.hold === undefined ? {} : { heldBy: { reason: by, status, jobId: "job-1" } })
      })
    })
  }
})
