/** A program that promises something, and the stage that runs it, prints what happens and checks the promise. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type EZThrottle, Observer } from "ezthrottle-effect"
import { inspect, isDeepStrictEqual } from "node:util"
import * as Printer from "./Printer.ts"
import { rowOf, waitingFor } from "./Trace.ts"
import * as World from "./World.ts"

/** What a scene is told apart by, and what it does. */
export interface Scene {
  readonly promise: string
  /** Who takes steps over: the fake EZThrottle behind its protocol, or the dam in this process. */
  readonly service: "EZThrottle" | "the dam"
  readonly program: Effect.Effect<void, unknown, Stage | World.World | EZThrottle.EZThrottle | Scope.Scope>
}

/** Where a scene tells what happened and states what must hold. */
export class Stage extends Context.Service<
  Stage,
  {
    readonly tell: (row: Printer.Row) => void
    readonly holds: (claim: string, seen: unknown, promised: unknown) => void
    /** Prints no more rows of attempts: there will be many. */
    readonly hush: () => void
  }
>()("examples/Stage") {}

/** Makes a scene, and plays it when its file is the one that was started. */
export const scene = (meta: ImportMeta, promise: string, program: Scene["program"]): Scene =>
  playedAlone(meta, { promise, service: "EZThrottle", program })

/** The same, its client handing over to the embedded dam. */
export const damScene = (meta: ImportMeta, promise: string, program: Scene["program"]): Scene =>
  playedAlone(meta, { promise, service: "the dam", program })

const playedAlone = (meta: ImportMeta, self: Scene): Scene => {
  if (meta.main) main([self])
  return self
}

/** Prints a row for something that no attempt tells of, a webhook for instance. */
export const tell = (row: Printer.Row): Effect.Effect<void, never, Stage> =>
  Effect.map(Stage, (stage) => stage.tell(row))

/** Prints what arrives at the target from now on, for programs whose attempts cannot be observed here. */
export const tellArrivals: Effect.Effect<void, never, Stage | World.World | Scope.Scope> = Effect.gen(function* () {
  const stage = yield* Stage
  const { upstream } = yield* World.World
  yield* upstream.listen(({ abandoned, method, path }, status) =>
    stage.tell({ kind: "arrived", what: `${method} ${path}`, result: abandoned ? "interrupted" : String(status) })
  )
})

/** Prints no rows of attempts from now on, for scenes with too many of them. */
export const hush: Effect.Effect<void, never, Stage> = Effect.map(Stage, (stage) => stage.hush())

/** States what must hold: a tick when what was seen equals what was promised. */
export const holds = (claim: string, seen: unknown, promised: unknown): Effect.Effect<void, never, Stage> =>
  Effect.map(Stage, (stage) => stage.holds(claim, seen, promised))

/** Plays scenes in one world; the process ends with 1 unless every promise held. */
export const main = (scenes: ReadonlyArray<Scene>): void =>
  Effect.scoped(playAll(scenes)).pipe(
    Effect.onInterrupt(() => Effect.sync(Printer.stopped)),
    NodeRuntime.runMain({ disableErrorReporting: true })
  )

const playAll = Effect.fnUntraced(function* (scenes: ReadonlyArray<Scene>) {
  const started = performance.now()
  let onStage: (event: Observer.Event) => void = () => {}
  // the dam's own attempts are seen as well, whichever scene they belong to
  const observer = (event: Observer.Event) => onStage(event)
  const world = yield* Effect.provideService(World.make, Observer.Observer, observer)
  Printer.heading("ezthrottle-effect, live", World.facts(world))
  const broken: Array<string> = []
  let promises = 0
  for (const [index, scene] of scenes.entries()) {
    Printer.scene(index + 1, scene.promise)
    const verdict = yield* play(scene, world, (listener) => void (onStage = listener)).pipe(
      Effect.provideService(Observer.Observer, observer)
    )
    onStage = () => {}
    promises += verdict.promises
    if (verdict.broken > 0) broken.push(scene.promise)
  }
  const took = `${((performance.now() - started) / 1000).toFixed(1)} s`
  const kept = scenes.length - broken.length
  Printer.closing(`${kept} of ${scenes.length} scenes ended as promised: ${promises} promises, ${took}`, broken)
  return yield* broken.length === 0 ? Effect.void : Effect.fail("a promise was broken")
})

const play = Effect.fnUntraced(function* (
  { program, service }: Scene,
  world: World.World["Service"],
  listen: (listener: (event: Observer.Event) => void) => void
) {
  const started = performance.now()
  const verdict = { promises: 0, broken: 0 }
  const tell = (row: Printer.Row) => Printer.row(performance.now() - started, row)
  const holds = (claim: string, seen: unknown, promised: unknown) => {
    verdict.promises++
    if (isDeepStrictEqual(seen, promised)) return Printer.kept(claim)
    verdict.broken++
    Printer.broken(claim, `promised ${inspect(promised)}\nseen     ${inspect(seen)}`)
  }
  const inFlight = waitingFor(Printer.waiting)
  const hush = () => listen(() => {})
  listen((event) => {
    if (event._tag === "Ended") tell(rowOf(event, service))
    inFlight(event)
  })
  yield* Effect.scoped(program).pipe(
    Effect.timeout("10 seconds"),
    Effect.provide(service === "the dam" ? World.damClient(world) : World.client(world)),
    Effect.provideService(World.World, world),
    Effect.provideService(Stage, { tell, holds, hush }),
    Effect.catchCause((cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
      verdict.promises++
      verdict.broken++
      return Effect.sync(() => Printer.broken("the scene ends as it should", Cause.pretty(cause)))
    })
  )
  return verdict
})
