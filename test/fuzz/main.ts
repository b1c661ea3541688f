/**
 * Throws made-up input at every door: `npm run fuzz -- --door job --seed 1 --seconds 60`, or `--inputs 1000000`.
 *
 * Prints what was answered how often, and the longest time an answer took. Ends with 1 where one was wrong, with the input.
 */
import { parseArgs } from "node:util"
import { doors } from "./Doors.ts"
import { fuzz } from "./Fuzz.ts"

const { values } = parseArgs({
  options: {
    door: { type: "string" },
    seed: { type: "string", default: "1" },
    seconds: { type: "string" },
    inputs: { type: "string" },
    answers: { type: "boolean", default: false }
  }
})

const wanted = values.door === undefined ? doors : doors.filter(({ name }) => name === values.door)
if (wanted.length === 0)
  throw new Error(`there is no such door; there are: ${doors.map(({ name }) => name).join(", ")}`)

const inputs = values.inputs === undefined ? undefined : Number(values.inputs)
const seconds = values.seconds === undefined ? (inputs === undefined ? 5 : undefined) : Number(values.seconds)
let total = 0
for (const door of wanted) {
  const effort = { seed: Number(values.seed), inputs, millis: seconds === undefined ? undefined : 1000 * seconds }
  const { answers, findings, inputs: tried, slowest } = fuzz(door, effort)
  total += tried
  const memory = Math.round(process.memoryUsage.rss() / 1024 ** 2)
  console.log(`${door.name}: ${tried} inputs, ${answers.size} answers, slowest ${slowest.toFixed(1)} ms, ${memory} MiB`)
  if (values.answers) for (const [answer, count] of answers) console.log(`  ${count} x ${answer}`)
  for (const { input, problem } of findings) {
    process.exitCode = 1
    console.log(`  WRONG ${problem}\n    ${JSON.stringify(input)}`)
  }
}
console.log(`${total} inputs`)
