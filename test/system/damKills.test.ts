import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { type Built, build } from "./support/Built.ts"
import { endAll } from "./support/DamProcess.ts"
import * as KillRun from "./support/KillRun.ts"
import { check } from "./support/Ledgers.ts"

const kills = Number(process.env["KILLS"] ?? 20)
const jobs = Number(process.env["JOBS"] ?? 2000)

let built: Built

beforeAll(async () => {
  built = await build()
})

afterAll(async () => {
  await endAll()
  built.remove()
})

it(`loses, repeats and hides nothing while it is killed ${kills} times under ${jobs} jobs`, async () => {
  const ledgers = await KillRun.run({ bin: built.bin, folder: built.folder, kills, jobs })
  const acknowledged = new Set(ledgers.submissions.flatMap(({ answer }) => (answer ? [answer.jobId] : []))).size
  const extra = ledgers.calls.length - new Set(ledgers.calls.map(({ key }) => key)).size
  const told = ledgers.hooks.length - new Set(ledgers.hooks.map(({ jobId }) => jobId)).size
  console.log(
    `${ledgers.kills.length} kills, ${acknowledged} jobs acknowledged, ${ledgers.finals.length} kept, ` +
      `${ledgers.calls.length} calls (${extra} repeated), ${ledgers.hooks.length} webhooks (${told} repeated)`
  )
  assert.deepStrictEqual(check(ledgers), [])
  assert.strictEqual(ledgers.kills.length, kills)
  assert.isAtLeast(acknowledged, 0.7 * jobs)
}, 3_600_000)
