/**
 * The world of the examples: a target that misbehaves, a service to forward to, and a dam that runs whole jobs. All of
 * it on loopback and in a temporary folder that goes when the program ends.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Client, type EZThrottle, type HttpTransport } from "ezthrottle-effect"
import { Dam } from "ezthrottle-effect/dam"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as FakeEZThrottle from "./FakeEZThrottle.ts"
import * as Upstream from "./Upstream.ts"

export class World extends Context.Service<
  World,
  {
    readonly upstream: Upstream.Upstream
    readonly service: FakeEZThrottle.FakeEZThrottle
    readonly dam: Dam.Running
    /** Where the database of the dam lies, and room for others. */
    readonly folder: string
  }
>()("examples/World") {}

/** The paces of targets that have not named one: these are on this machine and can bear more than a stranger's. */
export const pacing = { pace: { rps: 200, maxConcurrent: 20 } }

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "ezthrottle-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

export const make = Effect.gen(function* () {
  const upstream = yield* Upstream.make
  const service = yield* FakeEZThrottle.make
  const path = yield* folder
  const dam = yield* Dam.make({ path: join(path, "jobs.db"), pacing })
  return { upstream, service, dam, folder: path }
})

/** A client that knows where things are, as yours knows from its environment. */
export const client = (
  { service }: Pick<World["Service"], "service">,
  transport?: HttpTransport.Exchanging
): Layer.Layer<EZThrottle.EZThrottle> =>
  Layer.orDie(
    Client.layer({
      transport,
      apiKey: Redacted.make(service.apiKey),
      tracktagsUrl: service.url,
      ezthrottleUrl: service.url
    })
  )

/** A client that hands over to the dam; it needs no key and no URL. */
export const damClient = ({ dam }: Pick<World["Service"], "dam">): Layer.Layer<EZThrottle.EZThrottle> =>
  Layer.orDie(Client.layer({ service: dam.service }))

/** The lines above the first scene. */
export const facts = ({ folder, service, upstream }: World["Service"]): ReadonlyArray<readonly [string, string]> => [
  ["target", `${upstream.url}, misbehaving on purpose`],
  ["regions", "iad well, lax slow, ord dead"],
  ["service", `${service.url}, a fake EZThrottle that speaks the real protocol`],
  ["dam", `in this process, its jobs in ${join(folder, "jobs.db")}`]
]
