import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { type Built, build, root } from "./support/Built.ts"
import { ask, endAll, type LaunchOptions, run, start } from "./support/DamProcess.ts"
import * as Loopback from "./support/Loopback.ts"
import { isSigned } from "./support/Signed.ts"

let built: Built
let upstream: Loopback.Loopback
let receiver: Loopback.Loopback

beforeAll(async () => {
  built = await build()
  upstream = await Loopback.upstream()
  receiver = await Loopback.receiver()
})

afterEach(endAll)

afterAll(async () => {
  await Promise.all([upstream.close(), receiver.close()])
  built.remove()
})

const place = () => {
  const folder = mkdtempSync(join(built.folder, "place-"))
  chmodSync(folder, 0o755)
  return folder
}

const fresh = (folder = place()) => ["--port", "0", "--db", join(folder, "dam.db"), "--allow-private"]

const hooked = (jobId: string) => (seen: ReadonlyArray<Loopback.Seen>) =>
  seen.some(({ body }) => JSON.parse(body).job_id === jobId)

const hookOf = async (jobId: string) => {
  const seen = await receiver.until(hooked(jobId))
  const hook = seen.find(({ body }) => JSON.parse(body).job_id === jobId)
  assert.isDefined(hook)
  return hook
}

describe("ezthrottle dam", () => {
  it("says where it listens, where the data lies, and which egress and pace hold", async () => {
    const folder = place()
    const dam = await start(built.bin, fresh(folder))
    const said = dam.output()
    assert.include(said, "listening  http://127.0.0.1:")
    assert.include(said, `data       ${join(folder, "dam.db")} (0 jobs waiting, 0 dead deliveries)`)
    assert.include(said, "callers    this machine, without keys")
    assert.include(said, "egress     public addresses, private addresses")
    assert.include(said, "pace       2 per second and 2 at once for each host")
    const health = await ask(`${dam.url}/health`)
    assert.strictEqual(health.status, 200)
    assert.strictEqual(health.body.status, "ok")
    assert.strictEqual(health.body.egress, "public addresses, private addresses")
    assert.deepStrictEqual(health.body.regions, { "*": "direct" })
    assert.deepStrictEqual(health.body.pace, { rps: 2, max_concurrent: 2 })
  })

  it("takes a job in both dialects and tells each receiver in the dialect the job came in", async () => {
    const dam = await start(built.bin, fresh())
    const set = await ask(`${dam.url}/api/v1/webhook-secrets`, { body: { primary_secret: "a secret of our own" } })
    assert.strictEqual(set.status, 200)
    const url = `${upstream.url}/status/200`
    const cloud = await ask(`${dam.url}/api/v1/jobs`, {
      body: { url, method: "POST", body: "hello", webhooks: [{ url: `${receiver.url}/cloud` }], idempotent_key: "k1" }
    })
    assert.isNumber(cloud.body.queued_at)
    assert.deepStrictEqual(cloud, {
      status: 201,
      body: {
        job_id: cloud.body.job_id,
        status: "queued",
        idempotent_key: "k1",
        queued_at: cloud.body.queued_at
      }
    })
    const flat = await ask(`${dam.url}/jobs`, {
      body: { user_id: "u1", idempotent_key: "k1", url, method: "GET", webhook_url: `${receiver.url}/flat` }
    })
    assert.isNumber(flat.body.queued_at)
    assert.deepStrictEqual(flat, {
      status: 201,
      body: { job_id: flat.body.job_id, status: "queued", queued_at: flat.body.queued_at }
    })

    const cloudHook = await hookOf(cloud.body.job_id)
    assert.include(JSON.parse(cloudHook.body), { idempotent_key: "k1", status: "success" })
    assert.strictEqual(JSON.parse(cloudHook.body).response.status_code, 200)
    const flatHook = await hookOf(flat.body.job_id)
    assert.include(JSON.parse(flatHook.body), { status: "completed", response_status: 200 })
    for (const hook of [cloudHook, flatHook]) {
      assert.isTrue(isSigned(hook.body, hook.headers["x-ezthrottle-signature"], "a secret of our own"))
    }

    const sent = upstream.seen.find(({ headers }) => headers["idempotency-key"] === "k1")
    assert.strictEqual(sent?.body, "hello")
    const known = await ask(`${dam.url}/api/v1/jobs/${cloud.body.job_id}/wait?timeout_ms=5000`)
    assert.strictEqual(known.body.status, "succeeded")
  })

  it("reads its settings from a file, and lets flags win", async () => {
    const folder = place()
    const config = join(folder, "dam.yaml")
    writeFileSync(
      config,
      `
db: ${join(folder, "from-file.db")}
port: 1
pacing:
  default: { rps: 7, max_concurrent: 3 }
  hosts:
    ${new URL(upstream.url).host}: { rps: 100 }
regions:
  iad: direct
  lax: { proxy: "http://ann:s3cret@127.0.0.1:9" }
  ord: { dam: "http://127.0.0.1:9", api_key: s3cret-key }
limits: { body_bytes: 300 }
egress:
  allow_private: true
`
    )
    const dam = await start(built.bin, ["--config", config, "--port", "0"])
    assert.include(dam.output(), "pace       7 per second and 3 at once for each host, 1 hosts of their own")
    assert.isTrue(existsSync(join(folder, "from-file.db")))
    const { body } = await ask(`${dam.url}/health`)
    assert.deepStrictEqual(body.regions, { iad: "direct", lax: "proxy", ord: "dam", "*": "direct" })
    assert.deepStrictEqual(body.unconfigured_regions, [])
    assert.include(dam.output(), "regions    iad direct, lax proxy, ord dam; others leave from here")
    assert.notInclude(dam.output() + JSON.stringify(body), "s3cret")
    const job = { url: upstream.url, regions: ["fra", "iad"] }
    const accepted = await ask(`${dam.url}/api/v1/jobs`, { body: job })
    assert.strictEqual(accepted.body.status, "racing")
    await ask(`${dam.url}/api/v1/jobs/${accepted.body.job_id}/wait?timeout_ms=5000`)
    assert.deepStrictEqual((await ask(`${dam.url}/health`)).body.unconfigured_regions, ["fra"])
    const long = await ask(`${dam.url}/api/v1/jobs`, { body: { url: upstream.url, body: "x".repeat(400) } })
    assert.strictEqual(long.status, 413)
  })

  it("asks for keys when it has them", async () => {
    const folder = place()
    const keys = join(folder, "keys.txt")
    writeFileSync(keys, "# who may call\nacme:secret-of-acme\n")
    const dam = await start(built.bin, [...fresh(folder), "--keys-file", keys, "--host", "0.0.0.0"])
    assert.include(dam.output(), "1 customer with keys")
    const url = `http://127.0.0.1:${dam.port}/api/v1/jobs`
    assert.strictEqual((await ask(url)).status, 401)
    assert.strictEqual((await ask(url, { headers: { authorization: "Bearer secret-of-acme" } })).status, 200)
    assert.notInclude(dam.output(), "secret-of-acme")
  })
})

describe("ezthrottle dam, asked to stop", () => {
  it("lets what is under way end, starts nothing else, and goes on with the rest at the next start", async () => {
    const folder = place()
    const config = join(folder, "dam.yaml")
    writeFileSync(config, "pacing: { default: { rps: 100, max_concurrent: 1 } }\n")
    const args = [...fresh(folder), "--config", config]
    const dam = await start(built.bin, args)
    const submit = async (name: string, url: string) => {
      const body = { url: `${upstream.url}${url}?${name}`, webhooks: [{ url: `${receiver.url}/${name}` }] }
      return (await ask(`${dam.url}/api/v1/jobs`, { body })).body.job_id
    }
    const underWay = await submit("under-way", "/delay/1")
    await upstream.until((seen) => seen.some(({ path }) => path === "/delay/1?under-way"))
    // its turn comes when the one before has been answered
    const waiting = await submit("waiting", "/status/200")
    dam.signal("SIGTERM")
    const ended = await dam.ended
    assert.strictEqual(ended.with, 0, ended.errors)
    assert.include(ended.output, "SIGTERM: no new work is taken")
    assert.isFalse(upstream.seen.some(({ path }) => path === "/status/200?waiting"))
    assert.isFalse(existsSync(join(folder, "dam.db-wal")), "the log is folded into the file")

    const again = await start(built.bin, args)
    const done = await ask(`${again.url}/api/v1/jobs/${underWay}`)
    assert.strictEqual(done.body.status, "succeeded")
    await hookOf(underWay)
    await hookOf(waiting)
    assert.strictEqual(upstream.seen.filter(({ path }) => path.endsWith("?under-way")).length, 1)
  })

  it("waits no longer than its limit, and repeats what it interrupted", async () => {
    const folder = place()
    const config = join(folder, "dam.yaml")
    writeFileSync(config, "drain: 200 millis\n")
    const args = [...fresh(folder), "--config", config]
    const dam = await start(built.bin, args)
    const path = "/delay/2?too-long"
    await ask(`${dam.url}/api/v1/jobs`, { body: { url: upstream.url + path } })
    await upstream.until((seen) => seen.some((one) => one.path === path))
    dam.signal("SIGINT")
    const ended = await dam.ended
    assert.strictEqual(ended.with, 0, ended.errors)
    await start(built.bin, args)
    await upstream.until((seen) => seen.filter((one) => one.path === path).length === 2)
  })

  it("stops at once when it is asked twice, with the code of the signal", async () => {
    const dam = await start(built.bin, fresh())
    const path = "/delay/5?at-once"
    await ask(`${dam.url}/api/v1/jobs`, { body: { url: upstream.url + path } })
    await upstream.until((seen) => seen.some((one) => one.path === path))
    dam.signal("SIGINT")
    await fetch(dam.url).catch(() => undefined)
    dam.signal("SIGINT")
    assert.strictEqual((await dam.ended).with, 130)
  })
})

describe("ezthrottle dam refuses in one line", () => {
  const refused = async (code: number, line: RegExp, args: ReadonlyArray<string>, options?: LaunchOptions) => {
    const ended = await run(built.bin, args, options)
    assert.strictEqual(ended.with, code, ended.output + ended.errors)
    assert.match(ended.errors, line)
    assert.strictEqual(ended.errors.trimEnd().split("\n").length, 1, ended.errors)
    assert.strictEqual(ended.output, "")
  }

  it("to listen beyond this machine without keys, before it touches anything", async () => {
    const folder = place()
    await refused(2, /to listen on 0\.0\.0\.0.*--keys-file or EZTHROTTLE_DAM_KEYS/, [
      "dam",
      ...fresh(folder),
      "--host",
      "0.0.0.0"
    ])
    assert.isFalse(existsSync(join(folder, "dam.db")))
  })

  it("a port that another program has", async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve))
    const address = other.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    await refused(1, new RegExp(`port ${port} of 127\\.0\\.0\\.1 is in use.*--port`), [
      "dam",
      "--port",
      String(port),
      "--db",
      ":memory:"
    ])
    await new Promise((resolve) => other.close(resolve))
  })

  it("a database that is damaged", async () => {
    const db = join(place(), "dam.db")
    writeFileSync(db, "this is no database, whatever its name says\n".repeat(100))
    await refused(1, /dam\.db: it is damaged or no SQLite database/, ["dam", "--port", "0", "--db", db])
  })

  it("a database whose folder does not exist", async () => {
    const db = join(place(), "nowhere", "dam.db")
    await refused(1, /dam\.db: it cannot be opened; its folder must exist/, ["dam", "--port", "0", "--db", db])
  })

  it("a database that can only be read", async () => {
    const folder = place()
    const dam = await start(built.bin, fresh(folder))
    dam.signal("SIGTERM")
    await dam.ended
    chmodSync(join(folder, "dam.db"), 0o444)
    chmodSync(folder, 0o555)
    const line = /dam\.db: it can only be read.*the dam must be able to write it/
    await refused(1, line, ["dam", ...fresh(folder)], { unprivileged: true })
  })

  it("a database that another dam has open", async () => {
    const folder = place()
    await start(built.bin, fresh(folder))
    await refused(1, /dam\.db: another dam is using it/, ["dam", ...fresh(folder)])
  })

  it("settings that are wrong, each with its place", async () => {
    const config = join(place(), "dam.yaml")
    writeFileSync(config, "prot: 80\npacing:\n  hosts:\n    api.example.com: { rps: 0 }\n")
    await refused(2, /dam\.yaml: prot: there is no such setting; pacing\.hosts\["api\.example\.com"\]\.rps: Expected/, [
      "dam",
      "--config",
      config
    ])
  })

  it("a file of keys that holds none, without repeating it", async () => {
    const keys = join(place(), "keys.txt")
    writeFileSync(keys, "acme top-secret\n")
    await refused(2, /keys\.txt: API keys, entry 1: there is no colon/, ["dam", "--keys-file", keys])
    const ended = await run(built.bin, ["dam", "--keys-file", keys])
    assert.notInclude(ended.errors + ended.output, "top-secret")
  })

  it("an older Node, before it imports anything", async () => {
    const pretend = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.11.1"}})`
    await refused(1, /^ezthrottle needs Node 22\.19 or newer; this is 20\.11\.1$/m, ["dam"], {
      nodeArgs: ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`]
    })
  })
})

describe("a backup of a dam", () => {
  it("is made while jobs run, and sends nothing where it is restored until it is told to go on", async () => {
    const folder = place()
    const config = join(folder, "dam.yaml")
    writeFileSync(config, "pacing:\n  default: { rps: 20, max_concurrent: 2 }\n")
    const dam = await start(built.bin, [...fresh(folder), "--config", config, "--backup-dir", join(folder, "backups")])
    const body = (n: number) => ({
      url: `${upstream.url}/status/200?backup=${n}`,
      method: "POST",
      idempotent_key: `b${n}`
    })
    const calls = () => upstream.seen.filter(({ path }) => path.includes("?backup=")).length
    for (let n = 0; n < 40; n++) await ask(`${dam.url}/api/v1/jobs`, { body: body(n) })
    const copy = join(folder, "copy.db")
    const [made, over] = await Promise.all([
      run(built.bin, ["backup", copy, "--db", join(folder, "dam.db"), "--json"]),
      ask(`${dam.url}/api/v1/backup`, { method: "POST" })
    ])
    assert.strictEqual(made.with, 0, made.errors)
    assert.include(JSON.parse(made.output), { file: copy })
    assert.strictEqual(over.status, 201)
    assert.isTrue(existsSync(join(folder, "backups", over.body.file)))
    dam.signal("SIGTERM")
    await dam.ended
    const before = calls()
    assert.isBelow(before, 40)

    const args = ["--port", "0", "--db", copy, "--allow-private", "--config", config]
    const held = await start(built.bin, args)
    assert.match(held.output(), /COPY {7}made \S+ ago \(.*\); nothing is sent or taken until .*--resume-copy/)
    const health = await ask(`${held.url}/health`)
    assert.strictEqual(health.status, 200)
    assert.isNumber(health.body.is_copy_of)
    const refused = await ask(`${held.url}/api/v1/jobs`, { body: body(41) })
    assert.strictEqual(refused.status, 503)
    assert.strictEqual(refused.body.code, "is_copy")
    const flat = { user_id: "u", idempotent_key: "b42", url: upstream.url, method: "GET", webhook_url: receiver.url }
    assert.strictEqual((await ask(`${held.url}/jobs`, { body: flat })).body.code, "is_copy")
    held.signal("SIGTERM")
    await held.ended
    assert.strictEqual(calls(), before)

    const resumed = await start(built.bin, [...args, "--resume-copy"])
    assert.notInclude(resumed.output(), "COPY")
    const { body: listed } = await ask(`${resumed.url}/api/v1/jobs?limit=200`)
    assert.lengthOf(listed.jobs, 40)
    for (const { job_id } of listed.jobs) {
      const { body: ended } = await ask(`${resumed.url}/api/v1/jobs/${job_id}/wait?timeout_ms=60000`)
      assert.strictEqual(ended.status, "succeeded")
    }
  })
})

describe("ezthrottle", () => {
  it("tells its version and its usage", async () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    const version = await run(built.bin, ["--version"])
    assert.strictEqual(version.output.trim(), `ezthrottle v${manifest.version}`)
    assert.strictEqual(version.with, 0)
    const help = await run(built.bin, ["--help"])
    assert.match(help.output, /^ {2}dam +Start a durable EZThrottle on one SQLite file$/m)
    assert.strictEqual(help.with, 0)
    assert.strictEqual((await run(built.bin, ["flood"])).with, 2)
    assert.strictEqual((await run(built.bin, ["dam", "--port", "70000"])).with, 2)
  })
})
