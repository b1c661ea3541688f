import { assert, describe, it } from "@effect/vitest"
import { type Call, check, type Final, type Hook, type Invariant, type Ledgers } from "./support/Ledgers.ts"

/** Four jobs, one second apart, two kills; the call of the second and the webhook of the third were cut off. */
const sound: Ledgers = {
  submissions: [
    { key: "a", bodyHash: "#a", at: 0, answer: { jobId: "1", status: 201, state: "queued", at: 5 } },
    { key: "b", bodyHash: "#b", at: 1000, answer: { jobId: "2", status: 201, state: "queued", at: 1005 } },
    { key: "c", bodyHash: "#c", at: 2000, answer: { jobId: "3", status: 201, state: "queued", at: 2005 } },
    // killed while it was submitted, and known when it was submitted again
    { key: "d", bodyHash: "#d", at: 1040 },
    { key: "d", bodyHash: "#d", at: 1900, answer: { jobId: "4", status: 200, state: "queued", at: 1905 } },
    // its answer never came, and it does not exist
    { key: "e", bodyHash: "#e", at: 1045 }
  ],
  calls: [
    { key: "a", header: "a", attempt: 1, bodyHash: "#a", start: 10, end: 40 },
    { key: "b", header: "b", attempt: 1, bodyHash: "#b", start: 1010, end: 1051 },
    { key: "b", header: "b", attempt: 2, bodyHash: "#b", start: 2100, end: 2120 },
    { key: "c", header: "c", attempt: 1, bodyHash: "#c", start: 3100, end: 3120 },
    { key: "d", header: "d", attempt: 1, bodyHash: "#d", start: 4100, end: 4120 }
  ],
  hooks: [
    { jobId: "1", key: "a", status: "success", signed: true, answered: 200, start: 50, end: 60 },
    { jobId: "2", key: "b", status: "success", signed: true, answered: 200, start: 2130, end: 2140 },
    { jobId: "3", key: "c", status: "success", signed: true, answered: 200, start: 3130, end: 3151 },
    { jobId: "3", key: "c", status: "success", signed: true, answered: 200, start: 4000, end: 4010 },
    { jobId: "4", key: "d", status: "success", signed: true, answered: 200, start: 4130, end: 4140 }
  ],
  kills: [1050, 3150],
  finals: ["a", "b", "c", "d"].map((key, place) => ({
    jobId: String(place + 1),
    key,
    state: "succeeded",
    delivery: "delivered",
    attempts: 1,
    error: null,
    deliveryAttempts: 1
  })),
  store: { integrity: "ok", sequence: [1, 2, 3, 4] },
  pace: { rps: 1, maxConcurrent: 1, burst: 1 },
  slackMillis: 100
}

const changed = <A>(list: ReadonlyArray<A>, place: number, change: Partial<A>): ReadonlyArray<A> =>
  list.map((one, at) => (at === place ? { ...one, ...change } : one))

const call = (place: number, change: Partial<Call>): Ledgers => ({
  ...sound,
  calls: changed(sound.calls, place, change)
})

const hook = (place: number, change: Partial<Hook>): Ledgers => ({
  ...sound,
  hooks: changed(sound.hooks, place, change)
})

const final = (place: number, change: Partial<Final>): Ledgers => ({
  ...sound,
  finals: changed(sound.finals, place, change)
})

const submission = (place: number, change: Partial<Ledgers["submissions"][number]>): Ledgers => ({
  ...sound,
  submissions: changed(sound.submissions, place, change)
})

const without = (jobId: string): Ledgers => ({
  ...sound,
  finals: sound.finals.filter((one) => one.jobId !== jobId),
  hooks: sound.hooks.filter((one) => one.jobId !== jobId),
  calls: sound.calls.filter((one) => one.key !== "d"),
  store: { ...sound.store, sequence: [1, 2, 3] }
})

const more = (change: Partial<Ledgers>): Ledgers => ({ ...sound, ...change })

const answer = { jobId: "1", status: 200, state: "queued", at: 6000 }

const doctored: ReadonlyArray<readonly [string, ReadonlyArray<Invariant>, Ledgers]> = [
  ["an acknowledged job is gone", ["I1", "I10"], without("4")],
  ["a job succeeded without a call", ["I2"], more({ calls: sound.calls.slice(0, 4) })],
  ["a job that was told of is gone", ["I1", "I4", "I9", "I10"], more({ finals: sound.finals.slice(1) })],
  ["a job was sent with other bytes", ["I2"], call(0, { bodyHash: "#x" })],
  [
    "a job failed without a call and without a reason",
    ["I2", "I8"],
    { ...final(3, { state: "failed" }), calls: sound.calls.slice(0, 4) }
  ],
  ["a result was never told", ["I3"], more({ hooks: sound.hooks.slice(0, 4) })],
  ["a receiver that refused counts as told", ["I3"], hook(0, { answered: 500 })],
  ["a webhook is not signed", ["I3"], hook(0, { signed: false })],
  ["a delivery is left pending", ["I3"], final(0, { delivery: "pending" })],
  ["a delivery was given up without an attempt", ["I3"], final(0, { delivery: "undelivered", deliveryAttempts: 0 })],
  [
    "a call nobody asked for",
    ["I4"],
    more({ calls: [...sound.calls, { key: "z", header: "z", attempt: 1, bodyHash: "#z", start: 6000, end: 6010 }] })
  ],
  [
    "a webhook of a job that does not exist",
    ["I4"],
    more({
      hooks: [
        ...sound.hooks,
        { jobId: "9", key: "z", status: "success", signed: true, answered: 200, start: 6000, end: 6010 }
      ]
    })
  ],
  [
    "a key was answered with two ids",
    ["I5"],
    more({ submissions: [...sound.submissions, { key: "b", bodyHash: "#b", at: 5990, answer }] })
  ],
  ["a webhook carries the key of another job", ["I5"], hook(0, { key: "b" })],
  [
    "a call was repeated with no kill between",
    ["I6"],
    more({ calls: [...sound.calls, { key: "d", header: "d", attempt: 2, bodyHash: "#d", start: 6000, end: 6010 }] })
  ],
  [
    "a call was repeated, and the kill before came long after its answer",
    ["I6"],
    more({ calls: changed(changed(sound.calls, 1, { start: 920, end: 940 }), 3, { end: 3151 }) })
  ],
  [
    "a webhook was repeated with no kill between",
    ["I6"],
    more({
      hooks: [
        ...sound.hooks,
        { jobId: "4", key: "d", status: "success", signed: true, answered: 200, start: 6000, end: 6010 }
      ]
    })
  ],
  ["a call carried another key", ["I6"], call(0, { header: "b" })],
  ["a repeated call carried no key", ["I6"], call(2, { header: "undefined" })],
  ["a repeated call has the number of the one before", ["I6"], call(2, { attempt: 1 })],
  ["a repeated call has a lower number", ["I6"], call(1, { attempt: 7 })],
  ["a call has no number", ["I6"], call(3, { attempt: Number.NaN })],
  ["a call is numbered from nought", ["I6"], call(0, { attempt: 0 })],
  ["a webhook was repeated, and the kill came after it", ["I6"], hook(3, { start: 3148, end: 3149 })],
  [
    "more calls in a second than the rate and its burst",
    ["I7"],
    more({ calls: changed(changed(sound.calls, 2, { start: 2900, end: 2920 }), 4, { start: 3200, end: 3220 }) })
  ],
  ["too many calls at once", ["I7"], call(3, { start: 3160, end: 4110 })],
  ["a final state changed", ["I8"], submission(0, { answer: { ...answer, state: "failed", status: 201, at: 5 } })],
  [
    "a job ran again after it had ended",
    ["I8"],
    more({
      submissions: [
        ...sound.submissions,
        { key: "a", bodyHash: "#a", at: 5000, answer: { ...answer, state: "succeeded", at: 5001 } },
        { key: "a", bodyHash: "#a", at: 6000, answer: { ...answer, state: "running", at: 6001 } }
      ]
    })
  ],
  [
    "a job that had ended runs again",
    ["I8"],
    more({
      submissions: [
        ...sound.submissions,
        { key: "a", bodyHash: "#a", at: 10, answer: { ...answer, state: "succeeded", at: 12 } },
        { key: "a", bodyHash: "#a", at: 20, answer: { ...answer, state: "running", at: 22 } }
      ]
    })
  ],
  ["a result was told that is not the job's", ["I8"], hook(0, { status: "failed" })],
  ["a result was told as a success, and the job has failed", ["I8"], final(0, { state: "failed", error: "no" })],
  ["a result was told, and the job was cancelled", ["I8"], final(1, { state: "cancelled", error: "cancelled" })],
  ["a job shows more than there is in the file", ["I9"], more({ store: { ...sound.store, sequence: [1, 2, 3] } })],
  ["the file is empty", ["I9"], more({ store: { ...sound.store, sequence: [] } })],
  ["the file is damaged", ["I9"], more({ store: { ...sound.store, integrity: "row 7 missing from index" } })],
  ["numbers are missing", ["I9"], more({ store: { ...sound.store, sequence: [1, 4, 5, 6] } })],
  ["too few jobs ended", ["I10"], { ...final(3, { state: "queued" }), hooks: sound.hooks.slice(0, 4) }],
  ["no kill fell into a submission", ["I10"], more({ submissions: sound.submissions.filter(({ answer }) => answer) })],
  ["no kill fell into a call", ["I6", "I10"], { ...submission(3, { at: 480 }), kills: [500, 3150] }],
  ["no kill fell into a webhook", ["I10"], more({ kills: [1050], hooks: sound.hooks.toSpliced(3, 1) })]
]

describe("the judge of the ledgers", () => {
  it("finds nothing in a sound run", () => assert.deepStrictEqual(check(sound), []))

  for (const [what, expected, ledgers] of doctored) {
    it(`finds ${expected.join(" and ")} when ${what}`, () =>
      assert.deepStrictEqual(
        [...new Set(check(ledgers).map(({ invariant }) => invariant))],
        expected,
        JSON.stringify(check(ledgers))
      ))
  }

  it("has a case for every invariant", () => {
    const all = Array.from({ length: 10 }, (_, place) => `I${place + 1}`)
    const covered: ReadonlyArray<string> = doctored.flatMap(([, expected]) => expected)
    assert.deepStrictEqual(
      all.filter((one) => !covered.includes(one)),
      []
    )
  })
})
