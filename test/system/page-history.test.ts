/** What the page shows of a day and a week, of a lane's limit, of what operators are told, and of how many jobs fit. */
import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { createServer } from "node:http"
import type { Page } from "playwright-core"
import type { Built } from "./support/Built.ts"
import { ask } from "./support/DamProcess.ts"
import * as PageHarness from "./support/PageHarness.ts"
import * as PageWorld from "./support/PageWorld.ts"

let built: Built
let world: PageWorld.World
const { open } = PageHarness.use((made) => {
  ;({ built, world } = made)
})

const laneOf = (name: string) => new URL(world.at(name, "/")).host

const rowOf = (page: Page, text: string) => page.getByRole("row").filter({ hasText: text })

const reach = (page: Page, name: string) => page.getByRole("navigation", { name: "How far back" }).getByText(name)

/** How many pixels of a colour stand above each other at these parts of the way along a chart. */
const painted = (page: Page, chart: number, color: ReadonlyArray<number>, along: ReadonlyArray<number>) =>
  page
    .locator(".chart canvas")
    .nth(chart)
    .evaluate(
      (canvas, { along, color }) => {
        if (!(canvas instanceof HTMLCanvasElement)) return []
        const { height, width } = canvas
        const pixels = canvas.getContext("2d")?.getImageData(0, 0, width, height).data ?? []
        // beside the chart stand its values, and some room
        return along.map((part) => {
          const x = Math.round(56 + (width - 76) * part)
          return Array.from({ length: height }, (_, y) => (y * width + x) * 4).filter((at) =>
            color.every((part, place) => Math.abs(part - (pixels[at + place] ?? 0)) < 40)
          ).length
        })
      },
      { along, color }
    )

describe("the history", () => {
  it("is of the dam or of a lane, over an hour, a day or a week, which stands in the address", async () => {
    await PageWorld.settled(world, await world.submit({ url: world.at("past", "/ok") }))
    await world.submit({ url: world.at("past", "/wait/300") })
    const page = await open()
    await page
      .getByRole("img", { name: /over the last hour/ })
      .first()
      .waitFor()
    await reach(page, "24 hours").click()
    await page.waitForURL("**/#/?span=24h")
    await page.getByRole("img", { name: /^Calls per second in the last 24 hours: / }).waitFor()
    await page
      .getByRole("img", { name: /^Latency of calls in the last 24 hours; lately half of them took \d/ })
      .waitFor()
    assert.strictEqual(await reach(page, "24 hours").getAttribute("aria-current"), "true")
    // what is chosen for the lanes leaves it as it is
    await page.getByLabel("Order").selectOption("name")
    await page.waitForURL("**/#/?span=24h&show=all&order=name")
    await reach(page, "7 days").click()
    await page.waitForURL("**/#/?span=7d&show=all&order=name")
    await page.getByRole("img", { name: /^Holds in the last 7 days: / }).waitFor()
    await page.goto(`${world.url}/#/lanes/${encodeURIComponent(laneOf("past"))}?span=7d`)
    await page.getByText(/^in the last 7 days: 2 jobs accepted/).waitFor()
    assert.strictEqual(await page.getByRole("img", { name: /since the page was opened|jobs wait/ }).count(), 0)
    await reach(page, "1 hour").click()
    await page
      .getByText(/^in the last hour: 2 jobs accepted, 1 succeeded, 0 failed; \d+ calls, [1-9]\d* refused for now/)
      .waitFor()
    await page.getByRole("img", { name: /jobs wait/ }).waitFor()
    await page.goto(`${world.url}/#/lanes/${encodeURIComponent(laneOf("never"))}?span=24h`)
    await page.getByText("Nothing went through in the last 24 hours").waitFor()
  })

  it("is followed to where the address leads while the page is drawn for the first time", async () => {
    const page = await open()
    await page.addInitScript(() => {
      const drawn = new MutationObserver(() => {
        if (document.querySelector("#page > :not(noscript)") === null) return
        drawn.disconnect()
        // as when the event comes before anybody listens
        history.replaceState(null, "", "#/?span=24h")
      })
      drawn.observe(document, { childList: true, subtree: true })
    })
    await page.reload()
    await page.waitForURL("**/#/?span=24h")
    await page.locator("[aria-current=true]").getByText("24 hours").waitFor()
  })

  it("has no line where nothing is known, and one along 0 where nothing happened", async () => {
    const every = 300_000
    const now = Math.floor(Date.now() / every) * every
    const span = (ago: number, p50: number | null) => ({
      at: now - ago * every,
      accepted: 300,
      succeeded: 300,
      failed: 0,
      cancelled: 0,
      calls: 300,
      refused: 0,
      held_ms: 0,
      latency: { count: 300, p50, p95: p50, p99: p50 }
    })
    // nothing before half of the day, quiet for a quarter
    const ago = [...Array.from({ length: 72 }, (_, n) => 144 - n), ...Array.from({ length: 36 }, (_, n) => 36 - n)]
    const spans = ago.map((ago) => span(ago, 500))
    const page = await open()
    await page.route("**/api/v1/history*", (route) =>
      route.fulfill({ json: { lane: null, span_ms: every, from: now - 288 * every, spans } })
    )
    await page.goto(`${world.url}/#/?span=24h`)
    await page.getByRole("img", { name: /500 ms/ }).waitFor()
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    const [unknown = 1, busy = 0, quiet = 0] = await painted(page, 0, [179, 38, 30], [0.25, 0.6, 0.8])
    assert.strictEqual(unknown, 0)
    // failures: none, and that is a line as thick as any
    assert.isAtLeast(Math.min(busy, quiet), 2)
    const [before = 1, known = 0, between = 1] = await painted(page, 2, [138, 90, 0], [0.25, 0.6, 0.8])
    assert.isAtLeast(known, 2)
    assert.deepStrictEqual([before, between], [0, 0])
  })

  it("stands beside the limit of a lane, who set it, and what the upstream has said", async () => {
    const teaching = createServer((_, response) => response.writeHead(200, { "x-aqueduct-rps": "40" }).end())
    teaching.listen(0, "127.0.0.1")
    await once(teaching, "listening")
    const address = teaching.address()
    const lane = `taught.example:${typeof address === "object" ? address?.port : address}`
    await PageWorld.settled(world, await world.submit({ url: `http://${lane}/` }))
    const page = await open(`#/lanes/${encodeURIComponent(lane)}`)
    const fact = (name: string) => page.locator(".fact").filter({ has: page.getByText(name, { exact: true }) })
    await fact("Limit")
      .getByText(/40 per second, 20 at once learnt since \d/)
      .waitFor()
    const pace = page.getByRole("form", { name: "Set the pace" })
    await pace.getByLabel("Calls per second").fill("7")
    await pace.getByRole("button", { name: "Set pace" }).click()
    await fact("Limit")
      .getByText(/7 per second, 20 at once set by hand since \d/)
      .waitFor()
    const said = fact("Its upstream said")
    await said.getByText("40 per second").waitFor()
    await said.getByText("what was set by hand goes before it").waitFor()
    teaching.close()
  })

  it("shows what a lane finds below its ceiling, and the quotas that answers tell of", async () => {
    const quota = { "ratelimit-limit": "100", "ratelimit-remaining": "60", "ratelimit-reset": "60" }
    const telling = createServer((_, response) => response.writeHead(200, quota).end())
    telling.listen(0, "127.0.0.1")
    await once(telling, "listening")
    const address = telling.address()
    const lane = `telling.example:${typeof address === "object" ? address?.port : address}`
    await PageWorld.settled(world, await world.submit({ url: `http://${lane}/` }))
    const page = await open(`#/lanes/${encodeURIComponent(lane)}`)
    const fact = (name: string) => page.locator(".fact").filter({ has: page.getByText(name, { exact: true }) })
    await fact("Quota").getByText("60 left of 100").waitFor()
    const pace = page.getByRole("form", { name: "Set the pace" })
    await pace.getByLabel("Find it out").check()
    await pace.getByRole("button", { name: "Set pace" }).click()
    await fact("Pace found")
      .getByText(/ per second, \d+ at once/)
      .waitFor()
    telling.close()
  })
})

describe("notices", () => {
  it("are chosen with a form that says what the dam refuses, and shown with what became of them", async () => {
    const told: Array<string> = []
    const server = createServer((request, response) => {
      request.on("data", (chunk) => told.push(String(chunk)))
      request.on("end", () => response.writeHead(204).end())
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    const address = server.address()
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : address}/notices`
    const page = await open("#/notices")
    await page.getByRole("region", { name: "An example", exact: true }).getByText("curl -X PUT").waitFor()
    const form = page.getByRole("form", { name: "Who is told what" })
    await form.getByLabel("URLs").fill(`${url}\nftp://nowhere.example/`)
    await form.getByLabel("The database holds, MB").fill("0.000001")
    await form.getByLabel("a lane is held for long").uncheck()
    await form.getByRole("button", { name: "Save" }).click()
    await form
      .getByRole("alert")
      .getByText(/^urls\[1\]: /)
      .waitFor()
    assert.strictEqual(await form.getByLabel("URLs").getAttribute("aria-invalid"), "true")
    assert.isTrue(await form.getByLabel("URLs").evaluate((it) => it === document.activeElement))
    await form.getByLabel("URLs").fill(url)
    await form.getByLabel("A lane was held, minutes").fill("0")
    await form.getByRole("button", { name: "Save" }).click()
    await form.getByRole("alert").getByText("lane_held_ms").waitFor()
    await form.getByLabel("A lane was held, minutes").fill("")
    await form.getByRole("button", { name: "Save" }).click()
    await page.getByRole("status").getByText("Saved.").waitFor()
    assert.strictEqual(await form.getByLabel("A lane was held, minutes").inputValue(), "10")
    assert.isFalse(await form.getByLabel("a lane is held for long").isChecked())
    const sent = page.getByRole("table", { name: /Notices that were sent/ }).getByRole("row")
    const full = sent.filter({ hasText: "the database fills" })
    await full.getByText("begun").waitFor()
    await full.getByText("delivered").waitFor()
    await full.getByText("the mark is 1 byte").waitFor()
    assert.include(told.join(""), '"event":"stored_bytes"')
    await rowOf(page, "the database fills").last().waitFor()
    page.once("dialog", (dialog) => void dialog.accept())
    await form.getByRole("button", { name: "Back to the configuration" }).click()
    await page.getByText("What is configured holds again.").waitFor()
    assert.strictEqual(await form.getByLabel("URLs").inputValue(), "")
    const { body } = await ask(`${world.url}/api/v1/notices`)
    assert.deepInclude(body, { source: "configured", urls: [] })
    server.close()
  })

  it("are for operators: a customer is told so", async () => {
    const guarded = await PageWorld.make(built.bin, built.folder, "acme:key-of-acme\nops:key-of-ops:operator\n")
    const page = await open("", {}, guarded)
    await page.getByLabel("API key").fill("key-of-acme")
    await page.getByLabel("API key").press("Enter")
    await page.getByRole("heading", { name: "Overview" }).waitFor()
    await page.goto(`${guarded.url}/#/notices`)
    await page.getByRole("alert").getByText("operator").waitFor()
    assert.strictEqual(await page.getByRole("form", { name: "Who is told what" }).count(), 0)
    await page.getByRole("button", { name: "Sign out acme" }).click()
    await page.getByLabel("API key").fill("key-of-ops")
    await page.getByLabel("API key").press("Enter")
    await page.getByRole("form", { name: "Who is told what" }).waitFor()
    await page.close()
    await guarded.close()
  })
})

describe("the list of jobs", () => {
  it("is counted and turned round in the address, and a view that is sent comes with its name", async () => {
    for (let n = 0; n < 3; n++)
      await PageWorld.settled(world, await world.submit({ url: world.at("counted", `/n${n}`) }))
    const lane = encodeURIComponent(laneOf("counted"))
    const page = await open(`#/jobs?lane=${lane}`)
    const calls = page.locator("tbody a.clamped")
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 3)
    assert.include(await calls.first().textContent(), "/n2")
    await page.evaluate(() =>
      new MutationObserver(() => {
        const oldest = document.querySelector('table[aria-label="Jobs, the oldest first"] tbody a.clamped')
        if (oldest?.textContent?.includes("/n2")) console.error("the newest first, where the oldest are told")
      }).observe(document, { attributes: true, childList: true, subtree: true })
    )
    await page.getByLabel("Order").selectOption("oldest")
    await page.waitForURL(`**/#/jobs?lane=${lane}&sort=oldest`)
    await page.getByRole("table", { name: "Jobs, the oldest first" }).waitFor()
    assert.include(await calls.first().textContent(), "/n0")
    await page.getByText("What is shown").click()
    await page.getByLabel("Count all that fit").check()
    await page.waitForURL(`**/#/jobs?lane=${lane}&sort=oldest&count=true`)
    await page.getByText("3 jobs fit", { exact: true }).waitFor()
    await page.getByText("Views", { exact: true }).click()
    await page.getByLabel("Name of this view").fill("counted ones")
    await page.getByRole("button", { name: "Keep in this browser" }).click()
    await page.getByRole("heading", { level: 1, name: "Jobs: counted ones" }).waitFor()
    const address = page.url()
    assert.include(address, "view=counted+ones")
    const other = await open(address.slice(address.indexOf("#")))
    await other.getByRole("heading", { level: 1, name: "Jobs: counted ones" }).waitFor()
    await other.getByText("3 jobs fit", { exact: true }).waitFor()
    await other.getByText("Views", { exact: true }).click()
    assert.strictEqual(await other.getByLabel("Name of this view").inputValue(), "counted ones")
    await other.getByRole("button", { name: "Keep in this browser" }).click()
    await other.getByRole("link", { name: "counted ones" }).waitFor()
    await other.getByLabel("State").selectOption("failed")
    await other.getByRole("heading", { level: 1, name: "Jobs", exact: true }).waitFor()
    await other.getByText("0 jobs fit", { exact: true }).waitFor()
  })
})
