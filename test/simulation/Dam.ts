/** The dam of a simulated world: one incarnation after the other over one disk. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as EmbeddedService from "../../src/dam/EmbeddedService.ts"
import * as JobId from "../../src/dam/job/JobId.ts"
import { laneOf } from "../../src/dam/job/LaneName.ts"
import type { Store as JobStore } from "../../src/dam/store/JobStore.ts"
import * as Dispatcher from "../../src/dam/work/Dispatcher.ts"
import type { Engine } from "../../src/dam/work/Engine.ts"
import type { Service } from "../../src/run/Service.ts"
import { below, between, type Chance } from "./Chance.ts"
import type { Disk } from "./Disk.ts"
import type { Crash, Ledger, Trace } from "./Ledger.ts"
import { type Loop, schedulerOf, WorldClock } from "./Loop.ts"
import { type Network, otherPace, receiverPace, targets } from "./Network.ts"
import type { Place } from "./Place.ts"
import * as Store from "./Store.ts"

/** One life of the dam. */
export interface Incarnation extends Store.Process {
  readonly number: number
  readonly clock: WorldClock
  /** Runs something as a part of it: with it, it ends. */
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  /** What it offers, once it has started. */
  up: { readonly service: Service["Service"]; readonly engine: Engine["Service"]; readonly store: JobStore } | undefined
  /** Why it could not start. */
  failed: string | undefined
}

export interface Dam {
  readonly current: () => Incarnation
  /** Ends it without a word, and starts another one a while later. */
  readonly kill: (how: Crash["how"]) => void
  /** Ends the last one when the world ends. */
  readonly end: () => void
  /** Milliseconds that the wall clock of its machine is set forward; the next incarnations go on with it. */
  readonly setClock: (offset: number) => void
}

interface Parts {
  readonly loop: Loop
  readonly disk: Disk
  readonly place: Place
  readonly trace: Trace
  readonly ledger: Ledger
  readonly network: Network
  /** What the dam itself draws. */
  readonly chance: Chance
  /** How long it takes until another one is there. */
  readonly pauses: Chance
  readonly longestPause: number
}

export const make = (parts: Parts): Dam => {
  const { disk, ledger, longestPause, loop, network, pauses, place, trace } = parts
  let count = 0
  let offset = 0
  let current: Incarnation
  const start = () => {
    current = incarnation(parts, ++count)
    current.clock.offset = offset
    begin(parts, current, () => kill("process"))
  }
  const kill = (how: Crash["how"]) => {
    if (!current.alive) return
    current.alive = false
    trace.note(`killed by ${how}`)
    ledger.crashes.push({ at: loop.now, how })
    network.cutOff(current.number)
    place.leave()
    forgotten(disk, current)
    if (how === "power") disk.losePower()
    loop.in(Math.round(between(pauses, 20, longestPause)), start)
  }
  start()
  return {
    current: () => current,
    kill,
    end: () => {
      current.alive = false
      forgotten(disk, current)
    },
    setClock: (millis) => {
      offset = millis
      current.clock.offset = millis
    }
  }
}

/** Gives the memory of a dead process back, of which nothing reaches the disk. */
const forgotten = (disk: Disk, { close }: Incarnation): void => {
  disk.isDead = true
  disk.onWrite = undefined
  try {
    close()
  } catch {
    // the disk is dead
  }
  disk.isDead = false
}

const incarnation = ({ chance, loop, trace }: Parts, number: number): Incarnation => {
  const owner = { alive: true, close: () => undefined, atGroup: undefined, up: undefined, failed: undefined }
  const self: Incarnation = Object.assign(owner, { number, clock: new WorldClock(loop, owner), fork: never })
  const logger = Logger.make(({ message }) => trace.note(`log ${String(message)}`))
  const context = Context.make(Clock.Clock, self.clock).pipe(
    Context.add(Random.Random, {
      nextIntUnsafe: () => Math.floor((chance() * 2 - 1) * 2 ** 52),
      nextDoubleUnsafe: chance
    }),
    Context.add(WebCrypto.WebCrypto, seeded(chance)),
    Context.add(Logger.CurrentLoggers, new Set([logger]))
  )
  const scheduler = schedulerOf(loop, self)
  return Object.assign(self, {
    fork: <A, E>(effect: Effect.Effect<A, E>) => Effect.runForkWith(context)(effect, { scheduler })
  })
}

const never = (): never => {
  throw new Error("it has no fibers yet")
}

/** Only its chance is asked for. */
const seeded = (chance: Chance) =>
  ({
    getRandomValues: (bytes: Uint8Array) => bytes.map(() => below(chance, 256))
  }) as unknown as Crypto

const begin = ({ loop, place, network, trace, ...parts }: Parts, self: Incarnation, kill: () => void) => {
  const starting = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const store = yield* Store.make(place.path(), { ...parts, loop, trace, process: self }).pipe(Scope.provide(scope))
    const engine = yield* Dispatcher.make({
      ...Dispatcher.defaults,
      memoryBytes: () => 0,
      // a world lasts some days at most, and is asked at its end
      retention: Duration.days(30),
      pacing: { hosts: paces(), receivers: receiverPace, pace: { ...otherPace, find: false } },
      store,
      transport: network.of(self, self.number, false),
      webhooks: network.of(self, self.number, true),
      newId: JobId.fresh,
      laneOf
    }).pipe(Scope.provide(scope))
    self.up = { engine, store, service: EmbeddedService.make(engine, store) }
    trace.note(`started ${self.number}`)
  })
  self.fork(
    Effect.onError(starting, (cause) =>
      Effect.sync(() => {
        self.failed = Cause.pretty(cause)
        trace.note(`failed to start: ${self.failed.split("\n")[0]}`)
        // whoever supervises it starts it again
        loop.task(kill, self)
      })
    )
  )
}

const paces = () =>
  Object.fromEntries(Object.entries(targets).map(([host, { pace }]) => [`${host}:443`, { ...pace, find: false }]))
