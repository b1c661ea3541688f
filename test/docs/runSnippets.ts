/** Runs the files it is given one after the other in one process: the snippets of one page. */
import { pathToFileURL } from "node:url"
import { inspect } from "node:util"
import "./network.ts"

let left = process.argv.length - 2

process.on("exit", () => {
  if (left === 0) return
  process.stderr.write(`the process ended with ${left} snippets not finished\n`)
  process.exitCode = 1
})

for (const file of process.argv.slice(2)) {
  try {
    await import(pathToFileURL(file).href)
  } catch (error) {
    process.stderr.write(`${inspect(error)}\n`)
    process.exitCode = 1
  }
  left--
}
