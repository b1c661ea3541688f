/** The dam behind limiters that run in a process of their own, each on a port, and print what they see. */
import { assert } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { Dam } from "../../../src/dam.ts"
import { EZThrottle } from "../../../src/promise.ts"

/** Of the limiters' own: three calls in two seconds, so twelve take three windows beyond the first. */
const windowMillis = 2000
const jobs = 12
const windows = 4

export interface Limiter {
  readonly name: string
  /** How much later than its window ends it says so, being told as whole seconds of a clock. */
  readonly blurMillis: number
  /** How often it may refuse, where it announces nothing before. */
  readonly refusals: number
}

export const telling = (name: string, blurMillis = 0): Limiter => ({ name, blurMillis, refusals: windows })

interface Seen {
  readonly name: string
  readonly status: number
  readonly at: number
}

/** Limiters that are running. */
export interface Limiters {
  readonly ports: Readonly<Record<string, number>>
  readonly seen: ReadonlyArray<Seen>
  readonly stop: () => void
}

/** Starts them, and resolves once they have said where they are. */
export const start = (cwd: string, command: string, args: ReadonlyArray<string>): Promise<Limiters> =>
  new Promise((resolve, reject) => {
    const seen: Array<Seen> = []
    const servers: ChildProcess = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "inherit"] })
    servers.once("error", reject)
    servers.once("close", () => reject(new Error("the limiters have ended")))
    if (servers.stdout === null) return reject(new Error("the limiters say nothing"))
    createInterface(servers.stdout).on("line", (line) => {
      const said = JSON.parse(line)
      if (said.ports === undefined) seen.push(said)
      else resolve({ ports: said.ports, seen, stop: () => servers.kill("SIGKILL") })
    })
  })

/** Every job succeeds, in good time and with at most one refusal a window. */
export const holds = async ({ ports, seen }: Limiters, { blurMillis, name, refusals }: Limiter): Promise<void> => {
  const pacing = { pace: { rps: 20, maxConcurrent: 2 } }
  const service = Dam.embedded({ path: ":memory:", executor: "sameThread", pacing })
  const client = new EZThrottle({ service })
  const results = await Promise.all(
    Array.from({ length: jobs }, (_, n) =>
      client.queueAndWait({ url: `http://127.0.0.1:${ports[name]}/${n}`, timeout: 60_000 })
    )
  )
  await client[Symbol.asyncDispose]()
  assert.deepStrictEqual(
    results.map(({ status }) => status),
    results.map(() => "success")
  )
  const calls = seen.filter((call) => call.name === name)
  const took = Math.max(...calls.map(({ at }) => at)) - Math.min(...calls.map(({ at }) => at))
  assert.isAtMost(calls.filter(({ status }) => status === 429).length, refusals)
  // what is left is spread, so the last call of the last window comes towards its end
  assert.isAtMost(took, 1.25 * windows * (windowMillis + blurMillis))
}
