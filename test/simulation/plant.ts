/** Puts each planted fault in, and runs seeds until one tells: `node test/simulation/plant.ts [--seeds N] [--only TEXT]`. */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { planted } from "./Planted.ts"

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "40" }, only: { type: "string", default: "" } }
})
const main = fileURLToPath(new URL("main.ts", import.meta.url))

const inSome = (name: string, shape: string): string | undefined => {
  const { stderr, stdout } = spawnSync(
    process.execPath,
    [main, "--shape", shape, "--seeds", values.seeds, "--until-found"],
    {
      env: { ...process.env, PLANTED: name },
      encoding: "utf8"
    }
  )
  if (stderr !== "") throw new Error(stderr)
  const found = stdout.split("\n").find((line) => /^seed \d+: [^0-9]/.test(line))
  return found && `${shape} ${found}`
}

const asked = Object.keys(planted).filter((one) => one.includes(values.only))
let missed = 0
for (const name of asked) {
  const found = inSome(name, "ebbing") ?? inSome(name, "still") ?? inSome(name, "crowded")
  if (found === undefined) missed++
  console.log(`${name}: ${found ?? "not found"}`)
}
console.log(`${missed} of ${asked.length} not found`)
if (missed > 0) process.exitCode = 1
