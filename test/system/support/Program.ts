/** A program that whoever bundles the package writes, and what it does against a dam and a target. */
import { assert } from "@effect/vitest"

/** Calls a target, hands a job over, and receives: prints what became of each. */
export const facade = `
import { EZThrottle, Step, StepType } from "ezthrottle-effect/promise"
import { fetchHandler } from "ezthrottle-effect/webhook"

export const run = async (dam, target) => {
  const client = new EZThrottle({ dam })
  const called = await new Step(client).type(StepType.FRUGAL).url(target + "/called").execute()
  const job = await client.queueAndWait({ url: target + "/queued" })
  await client[Symbol.asyncDispose]()
  const receive = fetchHandler({ secrets: "a-secret-of-this-program", handle: () => {} })
  const refused = await receive(new Request("https://me.example.com/hooks", { method: "POST", body: "{}" }))
  return { called: called.response, job: job.status, refused: refused.status }
}
`

/** What it prints, run by \`node FILE DAM TARGET\`. */
export const runs = `console.log(JSON.stringify(await run(...process.argv.slice(2))))\n`

/** The same where a module may not wait. */
export const runsLater = `run(...process.argv.slice(2)).then((all) => console.log(JSON.stringify(all)))\n`

export const keepsItsPromises = (said: string) =>
  assert.deepStrictEqual(JSON.parse(said), { called: '{"path":"/called"}', job: "success", refused: 401 })

/** Keeps a job in a file, and tells its webhook. */
export const dam = `
import { Dam } from "ezthrottle-effect/dam"
import { EZThrottle } from "ezthrottle-effect/promise"

const [path, target] = process.argv.slice(2)
const main = async () => {
  const client = new EZThrottle({ service: Dam.embedded({ path }) })
  const { status } = await client.queueAndWait({ url: target + "/queued", webhooks: [{ url: target + "/hook" }] })
  await client.idle()
  await client[Symbol.asyncDispose]()
  console.log("job " + status)
}
main().catch((error) => {
  console.error(String(error))
  process.exitCode = 1
})
`
