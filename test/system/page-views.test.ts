/** How the page is found one's way in, how it looks, and what it says when there is nothing or nobody. */
import type * as Axe from "axe-core"
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { type Built, root } from "./support/Built.ts"
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

const titled = (page: Page, title: string) => page.waitForFunction((title) => document.title === title, title)

/** Waits until the field for lanes shows this. */
const laneShows = (page: Page, lane: string) =>
  page.waitForFunction((lane) => {
    const input = document.querySelector("[role=search] input[list]")
    return input instanceof HTMLInputElement && input.value === lane
  }, lane)

/** Jobs that have ended, to be looked for. */
const some = async (host: string, count: number) => {
  const ids = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      world.submit({ url: world.at(host, `/${"p".repeat(300)}/${n}`), metadata: { tenant: `t${n % 2}`, n: String(n) } })
    )
  )
  for (const id of ids) await PageWorld.settled(world, id)
  return ids
}

describe("schedules", () => {
  it("are shown with their next moments, paused, resumed and run", async () => {
    const path = "/api/v1/schedules/nightly%20report"
    const definition = { cron: "30 2 * * *", zone: "Europe/Berlin", job: { url: world.at("nightly", "/report") } }
    const { status } = await ask(world.url + path, { method: "PUT", body: definition })
    assert.strictEqual(status, 200)
    const page = await open("#/schedules")
    const row = rowOf(page, "nightly report")
    await row.getByText("30 2 * * * Europe/Berlin").waitFor()
    await row.getByText("then").click()
    assert.strictEqual(await row.getByRole("time").count(), 5)
    await row.getByRole("button", { name: "Pause nightly report" }).click()
    await row.getByText("paused").waitFor()
    await row.getByRole("button", { name: "Run now nightly report" }).click()
    await row.getByRole("link", { name: /^Job / }).waitFor()
    await row.getByRole("button", { name: "Resume nightly report" }).click()
    await row.getByText("active").waitFor()
    await ask(world.url + path, { method: "DELETE" })
  })
})

describe("finding jobs", () => {
  it("takes a host without its port, and shows in each field what the address says", async () => {
    await some("portless", 2)
    const page = await open("#/jobs")
    await page.getByText("live", { exact: true }).waitFor()
    const search = page.getByRole("search", { name: "Filter jobs" })
    await search.getByLabel("Lane").fill("portless.example")
    await search.getByLabel("Lane").press("Enter")
    await page.waitForURL(`**/#/jobs?lane=${encodeURIComponent(laneOf("portless"))}`)
    await laneShows(page, laneOf("portless"))
    await rowOf(page, laneOf("portless")).first().waitFor()
    await search.getByLabel("Lane").fill("https://nowhere.example")
    await search.getByLabel("Lane").press("Enter")
    await page.waitForURL(`**/#/jobs?lane=nowhere.example%3A443`)
    await page.getByRole("link", { name: "Show all jobs" }).click()
    await page.waitForURL(`**/#/jobs`)
    await laneShows(page, "")
    await page.goBack()
    await page.getByText("No job fits.").waitFor()
    await laneShows(page, "nowhere.example:443")
  })

  it("searches for what is typed: text, and on behind a page in which nothing was found", async () => {
    const [one = "", other = ""] = await some("searched", 2)
    const page = await open("#/jobs")
    const search = page.getByRole("search", { name: "Filter jobs" })
    await search.getByLabel("Search").fill("searched.example n=1")
    await search.getByLabel("Search").press("Enter")
    await page.waitForURL("**/#/jobs?q=searched.example+n%3D1")
    await rowOf(page, `…${one.slice(-8)}`).waitFor({ state: "detached" })
    await rowOf(page, `…${other.slice(-8)}`).waitFor()
    await page.route("**/api/v1/jobs?q=nowhere*", (route) => route.fulfill({ json: { jobs: [], cursor: "7" } }))
    await search.getByLabel("Search").fill("nowhere")
    await search.getByLabel("Search").press("Enter")
    await page.getByText("Older ones may.").waitFor()
    await page.getByRole("button", { name: "Older jobs" }).waitFor()
  })

  it("tells rows apart by id, metadata and time, and clamps what is long", async () => {
    const [one = "", other = ""] = await some("apart", 2)
    const page = await open(`#/jobs?lane=${encodeURIComponent(laneOf("apart"))}`)
    const row = rowOf(page, `…${one.slice(-8)}`)
    await row.getByRole("link", { name: "tenant t0" }).waitFor()
    await row.getByText(/^\d+(\.\d+)? (ms|s)$/).waitFor()
    await rowOf(page, `…${other.slice(-8)}`)
      .getByRole("link", { name: "tenant t1" })
      .waitFor()
    assert.isBelow((await row.boundingBox())?.height ?? 1000, 110)
    await row.getByRole("link", { name: "tenant t0" }).click()
    await page.waitForURL("**/#/jobs?metadata=tenant%3At0")
    await page.goto(`${world.url}/#/jobs/${one}`)
    const title = page.getByRole("heading", { level: 1 })
    await title.getByText("apart").waitFor()
    assert.isBelow((await title.boundingBox())?.height ?? 1000, 110)
  })

  it("narrows by time, size and columns, all in the address, and keeps views in this browser", async () => {
    await some("ranged", 30)
    const page = await open(`#/jobs?lane=${encodeURIComponent(laneOf("ranged"))}`)
    const rows = page.getByRole("row")
    const search = page.getByRole("search", { name: "Filter jobs" })
    await page.getByText("What is shown").click()
    await page.getByLabel("Jobs on a page").selectOption("25")
    await page.getByRole("button", { name: "Older jobs" }).waitFor()
    assert.strictEqual(await rows.count(), 26)
    await page.getByLabel("Lane", { exact: true }).last().uncheck()
    await page.getByRole("columnheader", { name: "Lane" }).waitFor({ state: "detached" })
    await search.getByLabel("Accepted").selectOption("between")
    await search.getByLabel("To", { exact: true }).fill("2020-01-01T00:00")
    await page.getByText("No job fits.").waitFor()
    await search.getByLabel("Accepted").selectOption("1h")
    await rowOf(page, "tenant t0").first().waitFor()
    const address = page.url()
    assert.include(address, "since=1h")
    assert.include(address, "limit=25")
    await page.getByText("Views", { exact: true }).click()
    await page.getByLabel("Name of this view").fill("the last hour")
    await page.getByRole("button", { name: "Keep in this browser" }).click()
    await page.goto(`${world.url}/#/jobs`)
    await page.reload()
    await page.getByText("Views", { exact: false }).first().click()
    await page.getByRole("link", { name: "the last hour" }).click()
    await page.waitForURL(`${address}&view=the+last+hour`)
    await page.getByRole("columnheader", { name: "Lane" }).waitFor({ state: "detached" })
    assert.strictEqual(await search.getByLabel("Accepted").inputValue(), "1h")
    await page.getByRole("button", { name: "Forget the view the last hour" }).click()
    await page.getByRole("link", { name: "the last hour" }).waitFor({ state: "detached" })
  })

  it("has keys: / to search, j and k to move, ? to tell them", async () => {
    await some("keys", 3)
    const page = await open("#/submit")
    await page.getByRole("heading", { level: 1, name: "Submit a job" }).waitFor()
    await page.keyboard.press("/")
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor()
    const search = page.getByRole("search", { name: "Filter jobs" })
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "")
    await page.waitForFunction(() => document.activeElement?.matches("[role=search] input"))
    await search.getByLabel("Lane").fill("keys.example")
    await page.keyboard.press("Enter")
    const links = rowOf(page, laneOf("keys")).locator("a.clamped")
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 3)
    // while something is typed they are letters
    await page.keyboard.press("j")
    assert.match(await search.getByLabel("Lane").inputValue(), /j$/)
    await page.getByRole("heading", { level: 1 }).focus()
    const texts = await links.allTextContents()
    await page.keyboard.press("j")
    assert.strictEqual(await focused(), texts[0])
    await page.keyboard.press("j")
    assert.strictEqual(await focused(), texts[1])
    await page.keyboard.press("k")
    assert.strictEqual(await focused(), texts[0])
    await page.keyboard.press("?")
    await page.getByRole("dialog", { name: "Keys" }).getByText("the next row").waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "hidden" })
    await page.keyboard.press("?")
    await page.goBack()
    await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "hidden" })
    await page.goForward()
    await links.first().focus()
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "What happened" }).waitFor()
  })
})

describe("the views", () => {
  it("say that the dam is frozen or gone, from when what is shown is, and when it is back", async () => {
    const frozen = await PageWorld.make(built.bin, built.folder)
    const page = await open("", {}, frozen)
    await page.getByText("live", { exact: true }).waitFor()
    const opacity = () => page.locator(".numbers").evaluate((it) => getComputedStyle(it).opacity)
    assert.strictEqual(await opacity(), "1")
    process.kill(frozen.pid ?? 0, "SIGSTOP")
    await page.getByText(/^the dam does not answer; this is from \d/).waitFor()
    assert.strictEqual(await opacity(), "0.5")
    process.kill(frozen.pid ?? 0, "SIGCONT")
    await page.getByText("live", { exact: true }).waitFor()
    assert.strictEqual(await opacity(), "1")
    await page.close()
    await frozen.close()
  })

  it("have no other view for a place that there is not", async () => {
    const page = await open("#/nonsense")
    await page.getByRole("heading", { level: 1, name: "There is no such page" }).waitFor()
    await titled(page, "No such page – EZThrottle dam")
    await page.goto(`${world.url}/#/jobs/%E0%A4`)
    await page.getByRole("alert").waitFor()
    await page.goto(`${world.url}/#/lanes/${encodeURIComponent(laneOf("keys"))}`)
    await page.getByRole("heading", { level: 1, name: laneOf("keys") }).waitFor()
    await titled(page, `Lane ${laneOf("keys")} – EZThrottle dam`)
  })

  it("define a limit, say at the field what is wrong with it, change it and take it back", async () => {
    const page = await open("#/limits")
    await page.getByText("No limit is defined.").waitFor()
    const form = page.getByRole("form", { name: "Define a limit" })
    await form.getByLabel("Name").fill("tokens")
    await form.getByLabel("Units", { exact: true }).fill("90")
    await form.getByLabel("in so many seconds").fill("60")
    await form.getByLabel("What a call has cost stands in").fill("a..b")
    await form.getByRole("button", { name: "Save" }).click()
    await form.getByRole("alert").getByText("settle: Expected").waitFor()
    await form.getByLabel("What a call has cost stands in").fill("x-cost:")
    await form.getByLabel("Weights of customers").fill("acme 3")
    await form.getByRole("button", { name: "Save" }).click()
    await page.getByRole("status").getByText("Saved. tokens holds").waitFor()
    await rowOf(page, "90 in 1 min").waitFor()
    await page.getByRole("button", { name: "Change tokens" }).click()
    assert.strictEqual(await form.getByLabel("Weights of customers").inputValue(), "acme 3")
    await form.getByLabel("Calls at once").fill("4")
    await form.getByRole("button", { name: "Save" }).click()
    await rowOf(page, "4 at once").waitFor()
    const kept = await ask(`${world.url}/api/v1/limits/tokens`)
    assert.deepInclude(kept.body, { rate: 90, per_ms: 60_000, concurrency: 4, weights: { acme: 3 } })
    page.once("dialog", (dialog) => void dialog.accept())
    await page.getByRole("button", { name: "Delete tokens" }).click()
    await page.getByText("No limit is defined.").waitFor()
  })

  it("put lanes with trouble first", async () => {
    await some("aaa-idle", 1)
    await ask(`${world.url}/api/v1/lanes/${laneOf("zzz-paused")}/pause`, { body: {} })
    const page = await open()
    await rowOf(page, laneOf("zzz-paused")).waitFor()
    await rowOf(page, laneOf("aaa-idle")).waitFor()
    const names = await page.getByRole("table", { name: "Lanes" }).locator("tbody tr td:first-child").allTextContents()
    assert.strictEqual(names[0], laneOf("zzz-paused"))
    await page.getByLabel("Order").selectOption("name")
    await page.waitForFunction(
      (lane) => document.querySelector(".rows tbody td")?.textContent === lane,
      laneOf("aaa-idle")
    )
  })

  it("say how to begin where there is nothing, by hand and from a program", async () => {
    const empty = await PageWorld.make(built.bin, built.folder)
    const page = await open("", {}, empty)
    for (const place of ["#/", "#/jobs"]) {
      await page.goto(`${empty.url}/${place}`)
      await page.getByRole("region", { name: "An example" }).getByText(`curl ${empty.url}/api/v1/jobs`).waitFor()
    }
    await page.goto(`${empty.url}/#/dead`)
    await page.getByText("submit a job with").waitFor()
    await page.close()
    await empty.close()
  })

  it("draw a line along 0 as thick as any, and none where nothing is known", async () => {
    const page = await open()
    const of = (p50: number | null) => ({ count: 1, p50, p95: p50, p99: p50 })
    const now = Math.floor(Date.now() / 10_000) * 10_000
    const spans = Array.from({ length: 30 }, (_, n) => {
      const latency = of(n < 10 || n >= 20 ? 500 : null)
      return {
        at: now - (30 - n) * 10_000,
        accepted: 5,
        succeeded: 5,
        failed: 0,
        cancelled: 0,
        wait: latency,
        total: latency
      }
    })
    await page.route("**/api/v1/stats", (route) => route.fulfill({ json: { span_ms: 10_000, spans } }))
    await page.reload()
    await page.getByRole("img", { name: /500 ms/ }).waitFor()
    await page.waitForFunction(() => document.querySelectorAll(".chart canvas").length === 2)
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    /** How many pixels of a colour stand above each other at these parts of the way along a chart. */
    const painted = (chart: number, color: ReadonlyArray<number>) =>
      page
        .locator(".chart canvas")
        .nth(chart)
        .evaluate((canvas, color) => {
          if (!(canvas instanceof HTMLCanvasElement)) return []
          const { height, width } = canvas
          const pixels = canvas.getContext("2d")?.getImageData(0, 0, width, height).data ?? []
          // beside the chart stand its values, and some room
          return [0.2, 0.5, 0.8].map((along) => {
            const x = Math.round(56 + (width - 76) * along)
            return Array.from({ length: height }, (_, y) => (y * width + x) * 4).filter((at) =>
              color.every((part, place) => Math.abs(part - (pixels[at + place] ?? 0)) < 40)
            ).length
          })
        }, color)
    const [before = 0, along = 0] = await painted(0, [179, 38, 30])
    assert.isAtLeast(Math.min(before, along), 2)
    const [first = 0, between = 0, last = 0] = await painted(1, [138, 90, 0])
    assert.isAtLeast(Math.min(first, last), 2)
    assert.strictEqual(between, 0)
  })

  it("are no long way down on a phone", async () => {
    await some("phone", 60)
    const page = await open("#/jobs?limit=50", { viewport: { width: 390, height: 844 } })
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 50)
    const height = () => page.evaluate(() => document.documentElement.scrollHeight)
    assert.isBelow(await height(), 10_000)
    await page.goto(`${world.url}/#/jobs`)
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 25)
    assert.isBelow(await height(), 5500)
    for (const place of ["#/submit", "#/failures", "#/notices", "#/?span=7d", "#/nonsense"]) {
      await page.goto(`${world.url}/${place}`)
      await page.getByRole("heading", { level: 1 }).waitFor()
      assert.isAtMost(await page.evaluate(() => document.documentElement.scrollWidth), 390, place)
    }
  })

  it("have no serious fault of access, in light and dark, wide and on a phone", async () => {
    const axe = readFileSync(join(root, "node_modules/axe-core/axe.min.js"), "utf8")
    const id = await world.submit({
      url: world.at("chain", "/a"),
      method: "POST",
      body: '{"a":[1]}',
      metadata: { order: "1" },
      on_success: { url: world.at("chain", "/b") },
      webhooks: [{ url: world.at("hooks", "/hook/410") }]
    })
    await PageWorld.settled(world, id)
    const waiting = await world.submit({ url: world.at("waits", "/wait/300") })
    const lane = encodeURIComponent(laneOf("zzz-paused"))
    const places = [
      "#/failures",
      "#/",
      "#/jobs",
      `#/jobs/${id}`,
      `#/jobs/${waiting}`,
      "#/dead",
      "#/limits",
      "#/notices",
      "#/?span=24h",
      `#/lanes/${lane}`,
      `#/lanes/${encodeURIComponent(laneOf("chain"))}?span=7d`,
      "#/jobs?count=true&sort=oldest&view=mine",
      "#/submit",
      "#/no"
    ]
    for (const viewport of [
      { width: 1280, height: 900 },
      { width: 390, height: 844 }
    ]) {
      const page = await open("", { viewport })
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme })
        for (const place of places) {
          await page.goto(`${world.url}/${place}`)
          await page.reload()
          await page.getByRole("heading", { level: 1 }).waitFor()
          await page.getByText("Loading…").first().waitFor({ state: "detached" })
          await page.locator("details:not([open]) > summary").evaluateAll((all) => {
            for (const one of all) if (one instanceof HTMLElement) one.click()
          })
          await page.evaluate(axe)
          const found = await page.evaluate(async () => {
            const { axe } = window as unknown as { axe: typeof Axe }
            const { violations } = await axe.run(document, { resultTypes: ["violations"] })
            return violations
              .filter(({ impact }) => impact === "serious" || impact === "critical")
              .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`)
          })
          assert.deepStrictEqual(found, [], `${place} ${colorScheme} ${viewport.width}`)
        }
      }
    }
  })
})
