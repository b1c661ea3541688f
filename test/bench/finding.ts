/**
 * How well the finder uses hidden limits, in virtual time, beside clients that are not told the limit and one that is; and what
 * a call costs it. `used` is what was accepted of what the limit allowed, `refused` of what was sent, `time` 500 calls from
 * cold over the least that anybody could take.
 */
import { finder, queueWithRetry, spacedByHand } from "../engine/pace/sim/Clients.ts"
import { kinds, type Kind } from "../engine/pace/sim/Kinds.ts"
import { measure } from "../engine/pace/sim/Measure.ts"
import type { Client } from "../engine/pace/sim/Network.ts"
import { cells } from "../engine/pace/Table.ts"

const quick = process.env["BENCH_QUICK"] === "1"
const seeds = Array.from({ length: quick ? 1 : 20 }, (_, index) => index + 1)
const percent = (share: number, digits = 0) => `${(100 * share).toFixed(digits)} %`

const clients: ReadonlyArray<readonly [string, (kind: Kind) => Client]> = [
  ["the finder", () => finder()],
  ["a queue with retries", () => queueWithRetry()],
  ["told the rate by hand", ({ maxConcurrent, rps }) => spacedByHand(rps, maxConcurrent)]
]

console.log("told nothing                    " + clients.map(([name]) => name.padEnd(28)).join(""))
for (const kind of kinds) {
  const row = clients.map(([, clientOf]) => {
    const { refused, slowdown, used } = measure(kind, clientOf, "bare", seeds)
    return `${percent(used)} used, ${percent(refused, 1)}, x ${slowdown.toFixed(2)}`.padEnd(28)
  })
  console.log(kind.name.padEnd(32) + row.join(""))
}

console.log("\ntold, by limit and words (used, refused; the table's in brackets)")
for (const { dialect, kind, refused, used } of cells) {
  if (dialect === "bare") continue
  const { refused: no, used: got } = measure(kind, () => finder(), dialect, seeds)
  console.log(`${kind.name.padEnd(44)}${dialect.padEnd(28)}${percent(got)}, ${percent(no, 1)} (${used}, ${refused})`)
}

const calls = quick ? 2_000 : 300_000

/** Microseconds of processor time for one call: asked when, sent, answered. */
const cost = (left: number | undefined): number => {
  const client = finder()
  let now = 0
  const began = process.cpuUsage()
  for (let id = 0; id < calls; id++) {
    now = Math.max(now + 1, client.next(now))
    client.sent(now, id)
    const quotas =
      left === undefined
        ? []
        : [{ name: "", limit: left, remaining: left - (id % 1000), reset: { by: "delta", millis: 60_000 } as const }]
    client.answered(now + 20, id, { isAccepted: true, quotas })
  }
  const { system, user } = process.cpuUsage(began)
  return (user + system) / calls
}

console.log(`\none call costs ${cost(undefined).toFixed(2)} µs, with a told quota ${cost(1e6).toFixed(2)} µs`)
