/**
 * Runs simulated worlds: `npm run simulate -- --seed N --seeds N --shape crowded|calm|ebbing|still`.
 *
 * Prints the laws that were broken, and the hash of each trace. `--shrink` makes the first world that breaks one small;
 * `--jobs`, `--schedules` and `--faults` run it again as it was printed; `--trace` prints every event. Ends with 1 where a law was broken.
 */
import "./Seams.ts"
import { parseArgs } from "node:util"

const { allOf, run, shapes } = await import("./Simulation.ts")
const { shrink } = await import("./Shrink.ts")
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    shape: { type: "string", default: "crowded" },
    jobs: { type: "string" },
    schedules: { type: "string" },
    faults: { type: "string" },
    shrink: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
    "until-found": { type: "boolean", default: false }
  }
})
const shape = shapes[values.shape]
if (shape === undefined) {
  throw new Error(`there is no shape ${values.shape}; there are ${Object.keys(shapes).join(", ")}`)
}
const all = allOf(shape)
const kept = {
  jobs: values.jobs === undefined ? all.jobs : listed(values.jobs).map(Number),
  schedules: values.schedules === undefined ? all.schedules : listed(values.schedules).map(Number),
  faults: values.faults === undefined ? all.faults : listed(values.faults)
}

function listed(text: string): ReadonlyArray<string> {
  return text.split(",").filter(Boolean)
}

const first = Number(values.seed)
let broken: number | undefined
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const began = process.cpuUsage()
  const { events, findings, hash, ledger, lines } = run(seed, shape, kept, values.trace)
  const { system, user } = process.cpuUsage(began)
  for (const line of lines) console.log(line)
  for (const { law, what } of findings) console.log(`seed ${seed}: ${law}: ${what}`)
  const counts = `${ledger.calls.length} calls, ${ledger.crashes.length} crashes, ${events} events`
  console.log(`seed ${seed}: ${counts}, ${((user + system) / 1e6).toFixed(2)} s, trace ${hash}`)
  if (findings.length > 0) broken ??= seed
  if (broken !== undefined && (values["until-found"] || values.shrink)) break
}
if (broken !== undefined) {
  process.exitCode = 1
  const small = values.shrink ? shrink(broken, shape) : undefined
  if (small !== undefined) {
    const { jobs, faults, schedules } = small.kept
    const size = `${jobs.length} jobs, ${schedules.length} schedules and ${faults.length} faults`
    console.log(`${small.law}: ${size} are enough, after ${small.runs} runs:`)
    const kept = `--jobs=${jobs.join(",")} --schedules=${schedules.join(",")} --faults=${faults.join(",")}`
    console.log(`npm run simulate -- --shape ${values.shape} --seed ${broken} ${kept} --trace`)
  }
}
