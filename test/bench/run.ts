/**
 * Runs every benchmark beside this file, one after the other, each in a process of its own. `BENCH_QUICK=1` asks them
 * for a short run whose figures mean nothing: it only shows that they still work. Helpers live in folders below.
 */
import { spawnSync } from "node:child_process"
import { globSync } from "node:fs"
import { basename, join } from "node:path"

const here = import.meta.dirname
/** What is run by hand alone: peers are installed for it, and some need databases that not every machine has. */
const apart = [basename(import.meta.filename), "paced.ts", "peers.ts"]
const files = globSync("*.ts", { cwd: here })
  .filter((file) => !apart.includes(file))
  .toSorted()

const failed = files.filter((file) => {
  console.log(`\n# ${file}`)
  const { status, signal, error } = spawnSync(process.execPath, [join(here, file)], { stdio: "inherit" })
  if (status !== 0) console.error(`${file} ended with ${error?.message ?? signal ?? status}`)
  return status !== 0
})

if (files.length === 0) console.error("there is no benchmark to run")
process.exitCode = files.length === 0 || failed.length > 0 ? 1 : 0
