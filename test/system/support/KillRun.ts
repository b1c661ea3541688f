/** A dam under load that is killed again and again; answers what everybody around it wrote down. */
import { createHash } from "node:crypto"
import { fork } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"
import { ask, type DamProcess, start } from "./DamProcess.ts"
import type { Final, Ledgers, Submission } from "./Ledgers.ts"

export interface KillOptions {
  readonly bin: string
  readonly folder: string
  readonly kills: number
  readonly jobs: number
  /** Where the jobs are, in place of a file: a database, and what is found in it at the end. */
  readonly database?: { readonly url: string; readonly store: () => Promise<Ledgers["store"]> }
}

const secret = "the secret of the kill test"
const pace = { rps: 300, maxConcurrent: 20, burst: 1 }
const clients = 16

const now = () => performance.timeOrigin + performance.now()

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex")

export const run = async ({ bin, database, folder, jobs, kills }: KillOptions): Promise<Ledgers> => {
  const witness = fork(join(import.meta.dirname, "witness.ts"), [secret], { execArgv: [] })
  const [ports] = await once(witness, "message")
  const upstream = `http://127.0.0.1:${ports.upstream}`
  const receiver = `http://127.0.0.1:${ports.receiver}`

  const db = join(folder, "kills.db")
  const config = join(folder, "kills.yaml")
  writeFileSync(
    config,
    `
pacing:
  burst: ${pace.burst}
  hosts:
    "${upstream}": { rps: ${pace.rps}, max_concurrent: ${pace.maxConcurrent} }
    "webhook@${receiver}": { rps: 5000, max_concurrent: 100 }
`
  )
  const storage = database === undefined ? ["--db", db] : ["--database", database.url]
  const args = (port: number) => [...storage, "--config", config, "--allow-private", "--port", String(port)]

  let dam: DamProcess = await start(bin, args(0))
  const { port, url } = dam
  await ask(`${url}/api/v1/webhook-secrets`, { body: { primary_secret: secret } })

  const submissions: Array<Submission> = []
  const submit = async (key: string): Promise<boolean> => {
    const body = JSON.stringify({ key, text: "x".repeat(Number.parseInt(key.slice(-2), 16)) })
    const note = { key, bodyHash: hashOf(body), at: now() }
    const place = submissions.push(note) - 1
    try {
      const job = { url: `${upstream}/`, method: "POST", body, idempotent_key: key, webhooks: [{ url: receiver }] }
      const answer = await ask(`${url}/api/v1/jobs`, { body: job })
      if (answer.status >= 300) return false
      const { job_id: jobId, status: state } = answer.body
      submissions[place] = { ...note, answer: { jobId, state, status: answer.status, at: now() } }
      return true
    } catch {
      return false
    }
  }

  const keys = Array.from({ length: jobs }, (_, place) => hashOf(`job ${place}`))
  let next = 0
  const gate = { until: Promise.resolve() }
  const client = async () => {
    for (;;) {
      const key = keys[next++]
      if (key === undefined) return
      // three of four ask until they know; the fourth never learns what became of its job
      const patience = next % 4 === 0 ? 1 : 1000
      for (let asked = 0; asked < patience && !(await submit(key)); asked++) {
        await gate.until
        await sleep(10)
      }
      // a known key asked for again, to see where its job stands
      const known = keys[Math.floor(Math.random() * next)]
      if (next % 10 === 0 && known !== undefined) await submit(known)
      // all kills find work: the jobs are spread over them
      while (next < jobs && next > (jobs * (killed.length + 1)) / (kills + 1)) await sleep(20)
    }
  }

  const killed: Array<number> = []
  const load = Promise.all(Array.from({ length: clients }, client))
  while (killed.length < kills) {
    await sleep(20 + 600 * Math.random())
    let open = () => {}
    gate.until = new Promise((resolve) => (open = resolve))
    killed.push(now())
    dam.signal("SIGKILL")
    await dam.ended
    dam = await start(bin, args(port))
    open()
  }
  await load

  const finals = await settled(url)
  dam.signal("SIGTERM")
  const ended = await dam.ended
  if (ended.with !== 0) throw new Error(`the dam ended with ${ended.with}: ${ended.errors}`)

  const { calls, hooks } = (await ask(`${upstream}/ledger`)).body
  witness.disconnect()
  await once(witness, "exit")
  const store = database === undefined ? inspect(db) : await database.store()
  return { submissions, calls, hooks, kills: killed, finals, store, pace, slackMillis: 250 }
}

/** Waits until nothing is left to run or to tell, then lists everything. */
const settled = async (url: string): Promise<ReadonlyArray<Final>> => {
  const open = ["queued", "running", "scheduled", "parked"].map((state) => `status=${state}`).join("&")
  for (const query of [open, "delivery_status=pending"]) {
    for (;;) {
      const { body } = await ask(`${url}/api/v1/jobs?limit=1&${query}`)
      if (body.jobs.length === 0) break
      await sleep(100)
    }
  }
  const finals: Array<Final> = []
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: { readonly body: any } = await ask(
      `${url}/api/v1/jobs?limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`
    )
    for (const job of page.body.jobs) {
      const needsMore = job.status !== "succeeded" || job.delivery_status !== "delivered"
      const more = needsMore ? (await ask(`${url}/api/v1/jobs/${job.job_id}`)).body : undefined
      finals.push({
        jobId: job.job_id,
        key: job.idempotent_key,
        state: job.status,
        delivery: job.delivery_status,
        attempts: job.attempts_made,
        error: more?.error ?? null,
        deliveryAttempts: more?.deliveries.flatMap((one: any) => one.attempts).length ?? 1
      })
    }
    cursor = page.body.cursor
  }
  return finals
}

const inspect = (path: string): Ledgers["store"] => {
  const db = new DatabaseSync(path)
  const integrity = String(Object.values(db.prepare("PRAGMA integrity_check").get() ?? {})[0])
  const sequence = db
    .prepare("SELECT seq FROM jobs ORDER BY seq")
    .all()
    .map(({ seq }) => Number(seq))
  db.close()
  return { integrity, sequence }
}
