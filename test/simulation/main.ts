/**
 * Runs simulated worlds: `node test/simulation/main.ts --seed N --seeds N --shape crowded`.
 *
 * Prints what was found, and the hash of each trace last. Ends with 1 where a law was broken.
 */
import "./Seams.ts"
import { parseArgs } from "node:util"

const { shapes, run } = await import("./Simulation.ts")
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    shape: { type: "string", default: "crowded" },
    trace: { type: "boolean", default: false },
    "until-found": { type: "boolean", default: false }
  }
})
const shape = shapes[values.shape]
if (shape === undefined)
  throw new Error(`there is no shape ${values.shape}; there are ${Object.keys(shapes).join(", ")}`)

const first = Number(values.seed)
let broken = 0
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const began = process.cpuUsage()
  const { events, findings, hash, ledger, lines } = run(seed, shape, undefined, values.trace)
  const { system, user } = process.cpuUsage(began)
  for (const line of lines) console.log(line)
  if (findings.length > 0) broken++
  for (const { law, what } of findings) console.log(`seed ${seed}: ${law}: ${what}`)
  const counts = `${ledger.calls.length} calls, ${ledger.crashes.length} crashes, ${events} events`
  console.log(`seed ${seed}: ${counts}, ${((user + system) / 1e6).toFixed(2)} s, trace ${hash}`)
  if (broken > 0 && values["until-found"]) break
}
if (broken > 0) process.exitCode = 1
