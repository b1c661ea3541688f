/**
 * Sides of a comparison that live in processes of their own and are measured in turns.
 *
 * Importing undici's package replaces the `fetch` of the whole process, so what is measured over Node's own `fetch` must
 * not share a process with what is measured over undici.
 */
import { fork } from "node:child_process"
import { once } from "node:events"

/** Makes that many calls, some of them at once. */
export type Side = (calls: number) => Promise<unknown>

/** Microseconds per call: on the clock, and of this process's share of the processors. */
export interface Cost {
  readonly wall: number
  readonly cpu: number
}

/** Offers sides to the process that started this one. */
export const offer = (sides: Record<string, Side>): void => {
  process.on("message", async ({ calls, name }: { readonly name: string; readonly calls: number }) => {
    const before = process.cpuUsage()
    const from = process.hrtime.bigint()
    await sides[name]?.(calls)
    const wall = Number(process.hrtime.bigint() - from) / 1000 / calls
    const { system, user } = process.cpuUsage(before)
    process.send?.({ wall, cpu: (system + user) / calls } satisfies Cost)
  })
  process.send?.(Object.keys(sides))
}

/** A process that offers sides. */
export interface Racer {
  readonly names: ReadonlyArray<string>
  readonly measure: (name: string, calls: number) => Promise<Cost>
  readonly stop: () => void
}

export const start = async (file: URL, ...args: ReadonlyArray<string>): Promise<Racer> => {
  const child = fork(file, args)
  const [names] = await once(child, "message")
  return {
    names,
    measure: async (name, calls) => {
      child.send({ name, calls })
      const [cost] = await once(child, "message")
      return cost
    },
    stop: () => void child.kill()
  }
}

/** Plain promises: loops that call one after the other, `inFlight` of them. */
export const promises =
  (inFlight: number, call: () => Promise<unknown>): Side =>
  (calls) =>
    Promise.all(
      Array.from({ length: inFlight }, async () => {
        for (let done = 0; done < calls / inFlight; done++) await call()
      })
    )
