/**
 * Runs the calls of a group, those that many jobs go through at once: taken in, begun, noted, ended, told.
 *
 * Such calls wait for each other as long as they concern different jobs, since what is done to one job does not depend on
 * another. Whatever else is called, or concerns a job that one of them does, comes after them.
 */
import * as Effect from "effect/Effect"
import type { Call } from "../rows/Calls.ts"
import type { Fault, FinishInsert, JobInsert } from "../rows/Commands.ts"
import { digestOf, valueOf } from "../rows/JobValues.ts"
import type { Tally } from "../rows/Tally.ts"
import { liveOf } from "./Counts.ts"
import type { deliveryCommands, Taken } from "./DeliveryCommands.ts"
import type { Ending } from "./Ending.ts"
import * as Filing from "./Filing.ts"
import { epochOf, hexOf, type jobCommands, type Try } from "./JobCommands.ts"
import type { Session } from "./Session.ts"

/** What is put together. */
interface Parts {
  readonly on: Session
  readonly tally: Tally
  readonly jobs: ReturnType<typeof jobCommands>
  readonly deliveries: ReturnType<typeof deliveryCommands>
}

/** A call that may wait for others, and where its answer goes. */
interface Waiting<A> {
  readonly place: number
  readonly given: A
}

interface Filed {
  readonly job: JobInsert
  readonly digest: Uint8Array | null
  /** The name of its key; `undefined` where it has none. */
  readonly key: string | undefined
  readonly most: number | undefined
}

/** Calls that concern different jobs. */
interface Wave {
  readonly filed: Array<Waiting<Filed>>
  readonly begun: Array<Waiting<readonly [id: string, at: number]>>
  /** Places of those begun that are answered whole. */
  readonly whole: Set<number>
  readonly tried: Array<Waiting<Try>>
  readonly ended: Array<Waiting<Ending>>
  readonly told: Array<Waiting<Taken>>
  /** Whom they concern: ids of jobs, and whose deliveries are told. */
  readonly names: Set<string>
}

const none = (): Wave => ({ filed: [], begun: [], whole: new Set(), tried: [], ended: [], told: [], names: new Set() })

type Alone = (call: Call) => Effect.Effect<unknown, Fault>

/** Makes what runs a group; `alone` runs a call that does not wait for others. */
export const over =
  (parts: Parts) =>
  (calls: ReadonlyArray<Call>, alone: Alone): Effect.Effect<ReadonlyArray<unknown>, Fault> =>
    Effect.gen(function* () {
      const answers: Array<unknown> = []
      let wave = none()
      for (const [place, call] of calls.entries()) {
        if (add(parts, wave, place, call)) continue
        yield* run(parts, wave, answers)
        wave = none()
        if (!add(parts, wave, place, call)) answers[place] = yield* alone(call)
      }
      yield* run(parts, wave, answers)
      return answers
    })

/** Adds a call to a wave; `false`: it does not go with the others, or with none. */
const add = ({ tally }: Parts, wave: Wave, place: number, call: Call): boolean => {
  switch (call[0]) {
    case "enqueue":
    case "enqueueBelow": {
      const [, job, most] = call
      if (!Filing.isPlain(job)) return false
      const digest = digestOf(job)
      const isNew = named(wave, String(valueOf(job, "id")))
      if (isNew) wave.filed.push({ place, given: { job, digest, key: digest ? hexOf(digest) : undefined, most } })
      return isNew
    }
    case "begin":
    case "start": {
      const [name, id, at] = call
      const isNew = named(wave, id)
      if (isNew) wave.begun.push({ place, given: [id, at] })
      if (isNew && name === "start") wave.whole.add(place)
      return isNew
    }
    case "record": {
      const [, id, epoch, attempt] = call
      const isNew = named(wave, id)
      if (isNew) wave.tried.push({ place, given: [id, epoch, attempt] })
      return isNew
    }
    case "finish": {
      const [, id, epoch, finish] = call
      if (finish.children.length > 0) return false
      const isNew = named(wave, id)
      if (isNew) wave.ended.push({ place, given: { id, epoch, from: "running", finish } })
      return isNew
    }
    case "settleDelivery": {
      const [, id, attempt, next] = call
      if (next._tag !== "Delivered" || attempt === undefined || tally.endpoints > 0) return false
      // those of one job, whose ids begin with its own, are judged one after the other
      const isNew = named(wave, `told ${id.slice(0, id.lastIndexOf(":"))}`)
      if (isNew) wave.told.push({ place, given: { id, attempt } })
      return isNew
    }
    default:
      return false
  }
}

/** Notes whom a call concerns, unless another one of the wave does. */
const named = ({ names }: Wave, own: string): boolean => {
  if (names.has(own)) return false
  names.add(own)
  return true
}

const run = Effect.fnUntraced(function* (
  parts: Parts,
  wave: Wave,
  answers: Array<unknown>
): Effect.fn.Return<void, Fault> {
  const { deliveries, jobs } = parts
  if (wave.filed.length > 0) yield* fileAll(parts, wave.filed, answers)
  if (wave.begun.length > 0) yield* beginAll(parts, wave, answers)
  if (wave.tried.length > 0) {
    const noted = yield* jobs.recordAll(wave.tried.map(({ given }) => given))
    for (const { given, place } of wave.tried) answers[place] = noted.has(given[0])
  }
  if (wave.ended.length > 0) {
    const ended = yield* jobs.finishAll(wave.ended.map(({ given }) => given))
    for (const { given, place } of wave.ended) {
      answers[place] = ended.has(given.id) ? yield* openTo(parts, given.finish) : undefined
    }
  }
  if (wave.told.length > 0) {
    const told = yield* deliveries.deliverAll(wave.told.map(({ given }) => given))
    for (const { given, place } of wave.told) {
      const deliveryState = told.get(given.id) ?? (yield* deliveries.settledAs(given.id))
      answers[place] = { deliveryState, endpoint: undefined }
    }
  }
})

const beginAll = Effect.fnUntraced(function* (
  { jobs }: Parts,
  { begun, whole }: Wave,
  answers: Array<unknown>
): Effect.fn.Return<void, Fault> {
  const rows = yield* jobs.beginAll(begun.map(({ given }) => given))
  const wanted = begun.filter(({ place }) => whole.has(place)).map(({ given: [id] }) => id)
  const loaded = yield* jobs.loadAll(wanted.flatMap((id) => rows.get(id)?.["seq"] ?? []))
  for (const { given, place } of begun) {
    const [id] = given
    answers[place] = whole.has(place) ? loaded.get(id) : epochOf(rows.get(id))
  }
})

const openTo = ({ jobs, tally }: Parts, finish: FinishInsert): Effect.Effect<boolean, Fault> =>
  tally.endpoints === 0 ? Effect.succeed(true) : jobs.areOpen(finish)

/** Files those for whose customers there is room, and answers the others with who has their key, or with how many there are. */
const fileAll = Effect.fnUntraced(function* (
  parts: Parts,
  wanted: ReadonlyArray<Waiting<Filed>>,
  answers: Array<unknown>
): Effect.fn.Return<void, Fault> {
  const { jobs, on, tally } = parts
  const { crowded, filed, repeated } = yield* sorted(parts, wanted)
  const places = yield* Filing.all(
    on,
    tally,
    filed.map(({ given: { digest, job } }) => ({ job, digest, isBehind: false, leader: undefined }))
  )
  const late = [...filed.filter((_, place) => !places.has(place)), ...repeated, ...crowded.keys()]
  const digests = late.flatMap(({ given: { digest } }) => (digest === null ? [] : [digest]))
  const known = digests.length === 0 ? undefined : yield* jobs.knownAll(digests)
  for (const one of late) {
    const { job, key = "", most } = one.given
    const first = known?.get(key) ?? crowded.get(one)
    // whoever had its key in this very group was not filed either
    answers[one.place] =
      first ?? (yield* most === undefined ? jobs.commands.enqueue(job) : jobs.commands.enqueueBelow(job, most))
  }
})

/** Which are filed, which have the key of one that is, and for which there is no room among how many. */
const sorted = Effect.fnUntraced(function* (
  { on, tally }: Parts,
  wanted: ReadonlyArray<Waiting<Filed>>
): Effect.fn.Return<
  {
    readonly filed: ReadonlyArray<Waiting<Filed>>
    readonly repeated: ReadonlyArray<Waiting<Filed>>
    readonly crowded: ReadonlyMap<Waiting<Filed>, number>
  },
  Fault
> {
  const filed: Array<Waiting<Filed>> = []
  const repeated: Array<Waiting<Filed>> = []
  const crowded = new Map<Waiting<Filed>, number>()
  const keys = new Set<string>()
  const more = new Map<string, number>()
  for (const one of wanted) {
    const { job, key, most } = one.given
    if (key !== undefined && keys.has(key)) {
      repeated.push(one)
      continue
    }
    const customer = String(valueOf(job, "customer"))
    const added = more.get(customer) ?? 0
    const live = most === undefined ? 0 : (yield* liveOf(on, tally, customer)) + added
    if (most !== undefined && live >= most) {
      crowded.set(one, live)
      continue
    }
    filed.push(one)
    more.set(customer, added + 1)
    if (key !== undefined) keys.add(key)
  }
  return { filed, repeated, crowded }
})
