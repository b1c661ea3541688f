/** What the page shows of jobs, and what can be done with them there. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { Page } from "playwright-core"
import { ask } from "./support/DamProcess.ts"
import * as PageHarness from "./support/PageHarness.ts"
import * as PageWorld from "./support/PageWorld.ts"

let world: PageWorld.World
const { open } = PageHarness.use((made) => {
  ;({ world } = made)
})

const jobOf = async (id: string) => (await ask(`${world.url}/api/v1/jobs/${id}`)).body

/** Answers the next question of the page, and passes on what it asked. */
const answering = (page: Page, isSure: boolean): Promise<string> =>
  new Promise((resolve) => {
    page.once("dialog", (dialog) => {
      resolve(dialog.message())
      void (isSure ? dialog.accept() : dialog.dismiss())
    })
  })

describe("a job on the page", () => {
  it("stands in its chain, with the states, metadata and relations of all, and leads to each", async () => {
    const first = await world.submit({
      url: world.at("chain", "/first"),
      metadata: { order: "4711" },
      on_success: {
        url: world.at("chain", "/status/404"),
        on_failure: { url: world.at("chain", "/told"), metadata: { why: "refused" } }
      }
    })
    await PageWorld.settled(world, first)
    const page = await open(`#/jobs/${first}`)
    const chain = page.getByRole("region", { name: "Chain" })
    await chain.getByRole("link", { name: /told/ }).waitFor()
    await chain.getByText("refused").waitFor()
    await chain.getByRole("listitem").filter({ hasText: /told/ }).last().getByText("succeeded").waitFor()
    const lines = await chain.locator(".leaf").allTextContents()
    assert.match(lines[0] ?? "", /^succeeded.*\/first.*order 4711$/)
    assert.match(lines[1] ?? "", /^failedon success.*\/status\/404/)
    assert.match(lines[2] ?? "", /^succeededon failure.*\/told.*why refused$/)
    assert.match((await chain.locator("[aria-current]").textContent()) ?? "", /first/)
    await page.getByRole("definition").getByRole("link", { name: "order 4711" }).waitFor()
    await chain.getByRole("link", { name: /status\/404/ }).click()
    await page
      .getByRole("definition")
      .getByRole("link", { name: `Job …${first.slice(-8)}` })
      .waitFor()
    await page.getByText("Started by the success of").waitFor()
    // the same chain, seen from its middle
    await page.locator(".leaf [aria-current]").getByText("404").waitFor()
    assert.strictEqual(await chain.locator(".leaf").count(), 3)
    await page
      .getByRole("definition")
      .getByRole("link", { name: `Job …${first.slice(-8)}` })
      .click()
    await page.getByRole("heading", { level: 1, name: /first/ }).waitFor()
    await page.waitForFunction((title) => document.title === title, `Job …${first.slice(-8)} – EZThrottle dam`)
  })

  it("is run again only when that is meant, says as which job, and is found from both", async () => {
    const id = await world.submit({ url: world.at("again", "/once-more"), method: "POST" })
    await PageWorld.settled(world, id)
    const page = await open(`#/jobs/${id}`)
    const button = page.getByRole("button", { name: "Run again as a new job" })
    const asked = answering(page, false)
    await button.click()
    assert.include(await asked, "/once-more")
    assert.strictEqual(
      (await ask(`${world.url}/api/v1/jobs?lane=${new URL(world.at("again", "/")).host}`)).body.jobs.length,
      1
    )
    void answering(page, true)
    await button.click()
    const link = page.getByRole("status").getByRole("link", { name: /^job_/ })
    const made = (await link.textContent()) ?? ""
    assert.strictEqual((await jobOf(made)).rerun_of, id)
    await page
      .getByRole("region", { name: "Run again" })
      .getByRole("link", { name: /once-more/ })
      .waitFor()
    await link.click()
    await page.getByText("Run again, after").waitFor()
    await page
      .getByRole("definition")
      .getByRole("link", { name: `Job …${id.slice(-8)}` })
      .waitFor()
  })

  it("is cancelled only when that is meant, and runs now where it waits", async () => {
    const retry_at = Date.now() + 3_600_000
    const [cancelled, hastened] = [
      await world.submit({ url: world.at("later", "/cancelled"), retry_at }),
      await world.submit({ url: world.at("later", "/hastened"), retry_at })
    ]
    const page = await open(`#/jobs/${cancelled}`)
    const asked = answering(page, false)
    await page.getByRole("button", { name: "Cancel" }).click()
    assert.include(await asked, "Cancel this job?")
    assert.strictEqual((await jobOf(cancelled)).status, "scheduled")
    void answering(page, true)
    await page.getByRole("button", { name: "Cancel" }).click()
    await page.getByRole("status").getByText("It was cancelled.").waitFor()
    assert.strictEqual((await jobOf(cancelled)).status, "cancelled")
    await page.goto(`${world.url}/#/jobs/${hastened}`)
    await page.getByRole("button", { name: "Run now" }).click()
    await page.getByRole("status").getByText("It goes at once").waitFor()
    await page.getByRole("definition").getByText("succeeded").waitFor()
  })

  it("shows a long body when it is asked for, a line for each member, its digits as they are", async () => {
    const id = await world.submit({ url: world.at("large", "/large/380000") })
    await PageWorld.settled(world, id)
    const page = await open(`#/jobs/${id}`)
    const body = page.getByRole("region", { name: "Body of the response" })
    await body.getByText("12345678901234567890").waitFor()
    assert.isBelow((await body.textContent())?.length ?? 0, 10_000)
    await page.getByRole("button", { name: "Show all 380 kB of the response" }).click()
    await page.getByRole("button", { name: "Show all" }).waitFor({ state: "detached" })
    const shown = (await body.textContent()) ?? ""
    assert.strictEqual(shown, `[\n  12345678901234567890,\n  "${"y".repeat(380_000)}"\n]`)
    // a browser lays out no more of it than is looked at
    const pieces = body.locator(".piece")
    assert.isAtLeast(await pieces.count(), 20)
    assert.strictEqual(await pieces.first().evaluate((it) => getComputedStyle(it).contentVisibility), "auto")
    await page.getByRole("button", { name: "As it was sent" }).click()
    await body.getByText(/^\[12345/).waitFor()
  })

  it("is copied: its body, as curl, as a step", async () => {
    const id = await world.submit({
      url: `${world.at("copied", "/")}?page=2`,
      method: "PUT",
      headers: { authorization: "Bearer s3cret", "x-tenant": "o'hara" },
      body: '{"a":1}'
    })
    await PageWorld.settled(world, id)
    const page = await open(`#/jobs/${id}`, { permissions: ["clipboard-read", "clipboard-write"] })
    const copied = async (name: string) => {
      await page.getByRole("button", { name }).click()
      await page.getByRole("status").getByText("Copied.").last().waitFor()
      return page.evaluate(() => navigator.clipboard.readText())
    }
    assert.strictEqual(await copied("Copy the request's body"), '{"a":1}')
    const curl = await copied("Copy as curl")
    assert.include(curl, `curl -X PUT '${world.at("copied", "/")}?page=2'`)
    assert.include(curl, `-H 'x-tenant: o'\\''hara'`)
    assert.notInclude(curl, "s3cret")
    const step = await copied("Copy as a step")
    assert.include(step, `Step.make("${world.at("copied", "/")}?page=2"`)
    assert.include(step, `method: "PUT"`)
  })

  it("leads to its trace, where this browser was told where traces are", async () => {
    const id = await world.submit({ url: world.at("traced", "/") })
    const page = await open(`#/jobs/${id}`)
    const { trace_id: trace } = await jobOf(id)
    assert.match(trace, /^[0-9a-f]{32}$/)
    await page.getByText("Where traces are").click()
    const input = page.getByLabel("Link, with {trace_id} in it")
    const keep = page.getByRole("button", { name: "Keep in this browser" })
    await input.fill("javascript:alert({trace_id})")
    await input.press("Enter")
    assert.strictEqual(await input.getAttribute("aria-invalid"), "true")
    assert.strictEqual(await page.getByRole("link", { name: trace }).count(), 0)
    await input.fill("https://traces.example/t/{trace_id}")
    await keep.click()
    await page.reload()
    const link = page.getByRole("link", { name: trace })
    assert.strictEqual(await link.getAttribute("href"), `https://traces.example/t/${trace}`)
  })
})

describe("submitting on the page", () => {
  it("says what the dam refuses, at its field, and where the job is that was taken", async () => {
    const page = await open("#/submit")
    const form = page.getByRole("form", { name: "Job" })
    const url = form.getByLabel("URL", { exact: true })
    const submit = form.getByRole("button", { name: "Submit" })
    const refusals = page.getByRole("alert")
    await url.fill("ftp://example.com/")
    await submit.click()
    await form.locator(".field-url").getByRole("alert").waitFor()
    const said = await ask(`${world.url}/api/v1/jobs`, { body: { url: "ftp://example.com/", method: "POST" } })
    assert.strictEqual(await refusals.textContent(), said.body.error)
    assert.strictEqual(await url.evaluate((it) => it === document.activeElement), true)
    assert.strictEqual(await url.getAttribute("aria-invalid"), "true")
    await url.fill(world.at("typed", "/typed"))
    await form.getByLabel("Headers").fill("no colon")
    await submit.click()
    await form.locator(".field-headers").getByRole("alert").waitFor()
    await form.getByLabel("Headers").fill("x-tenant: acme")
    await form.getByLabel("Webhooks").fill("nonsense")
    await submit.click()
    await form.locator(".field-webhooks").getByRole("alert").getByText("webhooks[0].url").waitFor()
    await form.getByLabel("Webhooks").fill("")
    await form.getByLabel("More, as JSON").fill('{"webhok":[]}')
    await submit.click()
    await form.locator(".field-more").getByText("did you mean webhooks?").waitFor()
    await form.getByLabel("More, as JSON").fill('{"regions":["iad"]}')
    await form.getByLabel("Body").fill("hello")
    await form.getByLabel("Metadata").fill("order: 1\nname: with: colon")
    await form.getByLabel("Retries at most").fill("2")
    await submit.click()
    const link = page.getByRole("status").getByRole("link", { name: /^job_/ })
    const made = await PageWorld.settled(world, (await link.textContent()) ?? "")
    assert.deepInclude(made, { metadata: { order: "1", name: "with: colon" }, region: "iad" })
    assert.deepInclude(made.request, { method: "POST", body: "hello", headers: { "x-tenant": "acme" } })
    assert.strictEqual(await refusals.count(), 0)
    await submit.click()
    await page.getByRole("status").getByText("known already").waitFor()
    await link.click()
    await page.getByRole("heading", { level: 1, name: /typed/ }).waitFor()
  })

  it("changes a job and runs it again, once what the dam keeps to itself is typed", async () => {
    const id = await world.submit({
      url: `${world.at("edited", "/")}?q=1`,
      method: "PATCH",
      headers: { authorization: "Bearer s3cret", "x-a": "1" },
      body: "before",
      metadata: { order: "9" },
      webhooks: [{ url: world.at("hooks", "/hook/204") }]
    })
    await PageWorld.settled(world, id)
    const page = await open(`#/jobs/${id}`)
    await page.getByRole("link", { name: "Edit and run again" }).click()
    const form = page.getByRole("form", { name: "Job" })
    await form.getByText("PATCH").waitFor({ state: "attached" })
    assert.strictEqual(await form.getByLabel("Body").inputValue(), "before")
    await form.getByLabel("Body").fill("after")
    await form.getByRole("button", { name: "Submit" }).click()
    await form.locator(".field-headers").getByRole("alert").getByText("keeps authorization to itself").waitFor()
    await form.getByLabel("Headers").fill("x-a: 1")
    await form.getByRole("button", { name: "Submit" }).click()
    const link = page.getByRole("status").getByRole("link", { name: /^job_/ })
    const made = await jobOf((await link.textContent()) ?? "")
    assert.notStrictEqual(made.job_id, id)
    assert.deepInclude(made.request, { method: "PATCH", body: "after", url: `${world.at("edited", "/")}?q=1` })
    assert.deepStrictEqual(made.metadata, { order: "9" })
  })
})

describe("all jobs that fit", () => {
  const file = async (page: Page, name: string): Promise<string> => {
    const arrives = page.waitForEvent("download")
    await page.getByRole("button", { name }).click()
    const download = await arrives
    return `${download.suggestedFilename()}\n${readFileSync(await download.path(), "utf8")}`
  }

  it("are exported as a table and as lines of JSON, as many as there are on all pages", async () => {
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        world.submit({ url: world.at("exported", `/${n}`), metadata: { batch: "exported", note: '=1+"1"' } })
      )
    )
    const page = await open("#/jobs?metadata=batch:exported&limit=25")
    await page.getByText("All that fit", { exact: true }).click()
    const [name, head, ...lines] = (await file(page, "Export as CSV")).trim().split("\n")
    assert.strictEqual(name, "jobs.csv")
    assert.match(head ?? "", /^job_id,status,.*,rerun_of$/)
    assert.sameMembers(
      lines.map((line) => line.split(",")[0]),
      ids
    )
    await page.getByRole("status").getByText("30 jobs are in jobs.csv.").waitFor()
    const [, ...json] = (await file(page, "Export as JSON lines")).trim().split("\n")
    assert.sameMembers(
      json.map((line) => JSON.parse(line).job_id),
      ids
    )
  })

  it("are cancelled at a pace once it is known how many they are, with a bar, and can be stopped", async () => {
    const retry_at = Date.now() + 3_600_000
    const submit = (n: number) =>
      world.submit({ url: world.at("many", `/${n}`), retry_at, metadata: { batch: "many" } })
    const ids = await Promise.all(Array.from({ length: 4 }, (_, n) => submit(n)))
    await PageWorld.settled(world, await world.submit({ url: world.at("many", "/ended"), metadata: { batch: "many" } }))
    const states = async () => (await Promise.all(ids.map(jobOf))).map(({ status }) => status)
    const page = await open("#/jobs?metadata=batch:many")
    await page.getByText("All that fit", { exact: true }).click()
    const status = page.getByRole("status")
    const all = page.getByRole("button", { name: "Cancel all" })
    const asked = answering(page, false)
    await all.click()
    assert.match(await asked, /^Cancel 4 jobs\? .*\n\n10 a second, about 400 ms\.$/)
    await status.getByText("Nothing was done.").waitFor()
    assert.notInclude(await states(), "cancelled")
    await page.getByLabel("per second").fill("0.1")
    void answering(page, true)
    await all.click()
    await page.getByRole("progressbar", { name: "How far it is" }).waitFor()
    await page.getByText("1 of 4").waitFor()
    await page.getByRole("button", { name: "Stop" }).click()
    await status.getByText("It was stopped.").waitFor()
    assert.lengthOf(
      (await states()).filter((state) => state === "cancelled"),
      1
    )
    await page.getByLabel("per second").fill("100")
    void answering(page, true)
    await all.click()
    await status.getByText("3 cancelled.").waitFor()
    assert.deepStrictEqual(new Set(await states()), new Set(["cancelled"]))
  })

  it("are run again, those that have ended", async () => {
    const job = { url: world.at("twice", "/again"), metadata: { batch: "twice" } }
    await PageWorld.settled(world, await world.submit(job))
    await world.submit({ ...job, idempotent_key: "twice-later", retry_at: Date.now() + 3_600_000 })
    const page = await open("#/jobs?metadata=batch:twice")
    await page.getByText("All that fit", { exact: true }).click()
    const asked = answering(page, true)
    await page.getByRole("button", { name: "Run all again" }).click()
    assert.include(await asked, "Run again 1 job?")
    await page.getByRole("status").getByText("1 run again.").waitFor()
    assert.lengthOf((await ask(`${world.url}/api/v1/jobs?metadata=batch:twice`)).body.jobs, 3)
  })
})

describe("dead letters on the page", () => {
  it("are told again all at once when it is known how many they are", async () => {
    const webhooks = [{ url: world.at("hooks.gone", "/hook/410") }]
    await PageWorld.settled(world, await world.submit({ url: world.at("untold", "/ok"), webhooks }))
    const host = new URL(world.at("hooks.gone", "/")).host
    const page = await open(`#/dead?host=${encodeURIComponent(host)}`)
    const asked = answering(page, true)
    await page.getByRole("button", { name: "Tell all of these again" }).click()
    assert.strictEqual(await asked, `Tell 1 result again to ${host}?\n\n10 a second, about 100 ms.`)
    await page.getByRole("status").getByText("1 result is told again.").waitFor()
  })
})

describe("failures on the page", () => {
  it("stand together by host, status and reason, with how many and the newest of them", async () => {
    const fail = (n: number, key: string) =>
      world.submit({ url: world.at("failing", `/status/${n}`), idempotent_key: `failing-${key}` })
    for (const [n, key] of [
      [410, "a"],
      [410, "b"],
      [404, "c"]
    ] as const)
      await PageWorld.settled(world, await fail(n, key))
    const newest = await fail(410, "d")
    await PageWorld.settled(world, newest)
    const host = new URL(world.at("failing", "/")).host
    const page = await open(`#/failures?host=${encodeURIComponent(host)}&sort=largest`)
    await page.getByText("2 groups", { exact: true }).waitFor()
    const rows = page.getByRole("row").filter({ hasText: host })
    assert.match((await rows.nth(0).textContent()) ?? "", /410.*Rejected.*3/)
    assert.match((await rows.nth(1).textContent()) ?? "", /404.*Rejected.*1/)
    await page.getByLabel("Order").selectOption("newest first")
    await page.waitForFunction(() => !location.hash.includes("largest"))
    await page.getByLabel("Failed").selectOption("in the last hour")
    await page.getByText("2 groups", { exact: true }).waitFor()
    await rows
      .nth(0)
      .getByRole("link", { name: `Job …${newest.slice(-8)}` })
      .click()
    await page.getByRole("heading", { level: 1, name: /status\/410/ }).waitFor()
  })
})
