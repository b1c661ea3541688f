import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import type { Page } from "playwright-core"
import type { Built } from "./support/Built.ts"
import { ask } from "./support/DamProcess.ts"
import * as PageHarness from "./support/PageHarness.ts"
import * as PageWorld from "./support/PageWorld.ts"

let built: Built
let world: PageWorld.World
const { faults, open } = PageHarness.use((made) => {
  ;({ built, world } = made)
})

const laneOf = (name: string) => new URL(world.at(name, "/")).host

const rowOf = (page: Page, text: string) => page.getByRole("row").filter({ hasText: text })

/** Presses Tab until what has the focus is called so; answers what was passed on the way. */
const tabTo = async (page: Page, name: RegExp): Promise<ReadonlyArray<string>> => {
  const passed: Array<string> = []
  while (passed.length < 100) {
    await page.keyboard.press("Tab")
    const focused = await page.evaluate(() => {
      const { activeElement: element } = document
      return element === null ? "" : (element.getAttribute("aria-label") ?? element.textContent ?? "")
    })
    passed.push(focused)
    if (name.test(focused)) return passed
  }
  throw new Error(`no Tab leads to ${name}: ${passed.join(", ")}`)
}

describe("the page", () => {
  it("opens with what its dam serves and nothing else, and keeps to its own policy", async () => {
    const page = await open()
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor()
    await page.getByText("live", { exact: true }).waitFor()
    // a script of somebody else's is not run
    const blocked = page.waitForEvent("console", {
      predicate: (message) => message.text().includes("Content Security")
    })
    await page.evaluate(() => {
      const script = document.createElement("script")
      script.textContent = "window.wasRun = true"
      document.body.append(script)
    })
    await blocked
    assert.isFalse(await page.evaluate(() => "wasRun" in window))
    assert.lengthOf(faults.splice(0), 1)
  })

  it("shows a job that finishes, without being loaded again", async () => {
    const id = await world.submit({ url: world.at("slow", "/gate/watched"), metadata: { order: "4711" } })
    const page = await open("#/jobs")
    await page.evaluate(() => Object.assign(window, { isSame: true }))
    await rowOf(page, "/gate/watched").getByText("running").waitFor()
    await page.getByRole("link", { name: /gate\/watched/ }).click()
    await page.getByRole("definition").getByText("running").waitFor()
    world.open("watched")
    await page.getByRole("definition").getByText("succeeded").waitFor()
    await page.getByRole("list", { name: "What happened" }).getByText("answered 200").waitFor()
    await page.getByRole("link", { name: "Jobs", exact: true }).first().click()
    await rowOf(page, "/gate/watched").getByText("succeeded").waitFor()
    assert.isTrue(await page.evaluate(() => "isSame" in window))
    assert.strictEqual((await ask(`${world.url}/api/v1/jobs/${id}`)).body.status, "succeeded")
  })

  it("filters jobs by state, lane and metadata", async () => {
    await world.submit({ url: world.at("filtered", "/one"), metadata: { tenant: "acme" } })
    const id = await world.submit({ url: world.at("filtered", "/two"), metadata: { tenant: "zebra" } })
    const refused = await world.submit({ url: world.at("filtered", "/status/404") })
    await world.submit({ url: world.at("another", "/of-another-lane") })
    for (const job of [id, refused]) await PageWorld.settled(world, job)
    const page = await open("#/jobs")
    const links = page.getByRole("link", { name: /filtered\.example:\d+\// })
    const search = page.getByRole("search", { name: "Filter jobs" })
    await search.getByLabel("Lane").fill(laneOf("filtered"))
    await search.getByRole("button", { name: "Filter" }).click()
    await rowOf(page, "/of-another-lane").waitFor({ state: "detached" })
    await rowOf(page, "/status/404").waitFor()
    assert.strictEqual(await links.count(), 3)
    assert.strictEqual(await page.getByRole("row").count(), 4)
    await search.getByLabel("Metadata").fill("tenant:zebra")
    await search.getByLabel("Metadata").press("Enter")
    await rowOf(page, "/status/404").waitFor({ state: "detached" })
    await rowOf(page, "/two").waitFor()
    assert.deepStrictEqual(await links.allTextContents(), [`GET ${world.at("filtered", "/two")}`])
    await search.getByLabel("Metadata").fill("")
    await search.getByLabel("State").selectOption("failed")
    await rowOf(page, "/status/404").waitFor()
    await rowOf(page, "/two").waitFor({ state: "detached" })
  })

  it("shows what happened to a job: queue, attempts by region, pauses, webhooks; and no secret of it", async () => {
    const id = await world.submit({
      url: `${world.at("story", "/flaky/story")}?token=s3cret-token`,
      method: "POST",
      headers: { authorization: "Bearer s3cret-bearer", "x-tenant": "shop" },
      body: "the body that was sent",
      regions: ["iad", "lax"],
      retry_policy: { max_retries: 3, max_reroutes: 1 },
      webhooks: [{ url: world.at("hooks", "/hook/503/story") }]
    })
    await PageWorld.settled(world, id)
    const page = await open(`#/jobs/${id}`)
    const story = page.getByRole("list", { name: "What happened" }).getByRole("listitem")
    await story.getByText("webhook").first().waitFor()
    const lines = await story.allTextContents()
    for (const expected of [
      /^queued/,
      /attempt from (iad|lax).*answered 503/,
      /^pause.*before the retry/,
      // which region is answered first is for them to settle
      /^retry attempt from (iad|lax)/,
      /attempt from (iad|lax).*answered 200/,
      /^webhook to hooks\.example.*answered 503/,
      /^pause.*before it is told again/
    ]) {
      assert.isTrue(
        lines.some((line) => expected.test(line)),
        `${expected} in ${lines.join("\n")}`
      )
    }
    const regions = lines
      .map((line) => /attempt from (iad|lax)/.exec(line)?.[1])
      .filter((region) => region !== undefined)
    assert.deepStrictEqual([...new Set(regions)].toSorted(), ["iad", "lax"])
    const kinds = await page
      .locator(".waterfall rect")
      .evaluateAll((bars) => bars.map((bar) => bar.getAttribute("class")))
    assert.isAtLeast(new Set(kinds).size, 5)
    const text = await page.locator("body").innerText()
    assert.include(text, "the body that was sent")
    assert.include(text, "x-tenant: shop")
    assert.include(text, "set-cookie: <redacted>")
    assert.notInclude(await page.content(), "s3cret")
  })

  it("delivers a dead letter once more, and enables a receiver that was disabled", async () => {
    const gone = await world.submit({
      url: world.at("told", "/gone"),
      webhooks: [{ url: world.at("late", "/hook/410") }]
    })
    const dead = await world.submit({
      url: world.at("told", "/dead"),
      webhooks: [{ url: world.at("late", "/hook/503") }]
    })
    for (const id of [gone, dead]) await PageWorld.settled(world, id)
    const page = await open("#/dead")
    await rowOf(page, "it answered 410, gone")
      .getByRole("button", { name: /^Enable/ })
      .waitFor()
    world.receiversRecover()
    await page.getByRole("button", { name: `Tell again: ${dead}` }).click()
    await page.getByRole("button", { name: `Tell again: ${dead}` }).waitFor({ state: "detached" })
    await rowOf(page, "it answered 410, gone")
      .getByRole("button", { name: /^Enable/ })
      .click()
    await rowOf(page, "it answered 410, gone").waitFor({ state: "detached" })
    await page.getByRole("button", { name: `Tell again: ${gone}` }).click()
    await page.getByRole("button", { name: `Tell again: ${gone}` }).waitFor({ state: "detached" })
    await page.goto(`${world.url}/#/jobs/${dead}`)
    await page.getByRole("definition").getByText("delivered", { exact: true }).waitFor()
    await page.getByRole("list", { name: "What happened" }).getByText("answered 204").waitFor()
  })

  it("pauses and resumes a lane, sets its pace and takes it back, and shows who did it", async () => {
    const lane = laneOf("steered")
    await ask(`${world.url}/api/v1/lanes/${lane}/pace`, { body: { rps: 3 } })
    const page = await open()
    await page.getByRole("button", { name: `Pause ${lane}` }).click()
    await rowOf(page, lane).getByText("paused by local").waitFor()
    const id = await world.submit({ url: world.at("steered", "/") })
    await rowOf(page, lane).getByRole("link", { name: lane }).click()
    await page.getByText("1 queued").waitFor()
    await page.getByRole("form", { name: "Pause or resume" }).getByRole("button", { name: "Resume" }).click()
    await page.getByText("0 queued").waitFor()
    assert.strictEqual((await PageWorld.settled(world, id)).status, "succeeded")
    await page.getByLabel("Note, why").fill("they asked us to")
    await page.getByRole("button", { name: "Pause", exact: true }).click()
    await rowOf(page, "they asked us to").waitFor()
    const pace = page.getByRole("form", { name: "Set the pace" })
    await pace.getByLabel("Calls per second").fill("7")
    await pace.getByLabel("Open at once").fill("5")
    await pace.getByRole("button", { name: "Set pace" }).click()
    await page.getByText("of 7 per second").waitFor()
    await rowOf(page, "7 per second, 5 at once").waitFor()
    page.once("dialog", (dialog) => void dialog.accept())
    await pace.getByRole("button", { name: "Reset" }).click()
    await page.getByText("of 200 per second").waitFor()
    await page.getByRole("cell", { name: "reset" }).waitFor()
    const log = await page
      .getByRole("table", { name: /What was done/ })
      .getByRole("row")
      .allTextContents()
    const done = log.slice(1).map((line) => /local(pause|resume|pace|reset)/.exec(line)?.[1])
    assert.deepStrictEqual(done, ["reset", "pace", "pause", "resume", "pause", "pace"])
  })

  it("leads from a hold to the job whose answer brought it", async () => {
    const id = await world.submit({ url: world.at("held", "/wait/300") })
    const page = await open()
    const held = rowOf(page, laneOf("held"))
    await held.getByText(/asked to wait \(429\), ends in/).waitFor()
    await held.getByRole("link", { name: "this job" }).click()
    await page.getByText(id).waitFor()
    await page.getByRole("heading", { name: "Why is it waiting?" }).waitFor()
    await page.getByRole("region", { name: "Why is it waiting?" }).getByRole("listitem").first().waitFor()
  })

  it("can be used with nothing but a keyboard", async () => {
    const id = await world.submit({ url: world.at("keyboard", "/gate/keyboard") })
    const page = await open()
    await page.getByRole("button", { name: `Pause ${laneOf("keyboard")}` }).waitFor()
    await page.keyboard.press("Tab")
    assert.isTrue(
      await page.getByRole("link", { name: "Skip to the content" }).evaluate((it) => it === document.activeElement)
    )
    await page.keyboard.press("Enter")
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "main")
    const passed = await tabTo(page, new RegExp(`^Pause ${laneOf("keyboard")}$`))
    assert.include(passed, "Find")
    const outline = () => page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle)
    assert.strictEqual(await outline(), "solid")
    await page.keyboard.press("Space")
    await page.getByRole("button", { name: `Resume ${laneOf("keyboard")}` }).waitFor()
    await page.keyboard.press("Enter")
    await page.getByRole("button", { name: `Pause ${laneOf("keyboard")}` }).waitFor()
    await page.reload()
    await page.getByRole("button", { name: `Pause ${laneOf("keyboard")}` }).waitFor()
    await tabTo(page, /^Jobs$/)
    await page.keyboard.press("Enter")
    await page.getByRole("link", { name: /gate\/keyboard/ }).waitFor()
    // whoever cannot see it is told where he is
    assert.strictEqual(await page.evaluate(() => document.activeElement?.textContent), "Jobs")
    await tabTo(page, /gate\/keyboard/)
    await page.keyboard.press("Enter")
    await page.getByText(id).waitFor()
    world.open("keyboard")
  })

  it("has a name for everything that can be used or looked at", async () => {
    const id = await world.submit({ url: world.at("named", "/"), webhooks: [{ url: world.at("named", "/hook/204") }] })
    await PageWorld.settled(world, id)
    const page = await open()
    for (const place of ["#/", "#/jobs", `#/jobs/${id}`, "#/dead", `#/lanes/${encodeURIComponent(laneOf("named"))}`]) {
      await page.goto(`${world.url}/${place}`)
      await page.getByRole("heading", { level: 1 }).waitFor()
      await page.getByText("Loading…").first().waitFor({ state: "detached" })
      assert.strictEqual(await page.getByRole("heading", { level: 1 }).count(), 1)
      const unnamed = (await page.locator("body").ariaSnapshot())
        .split("\n")
        .filter((line) =>
          /^\s*- (button|link|textbox|combobox|spinbutton|img|table|form|search|navigation):?$/.test(line)
        )
      assert.deepStrictEqual(unnamed, [], place)
    }
  })

  it("fits on a phone, and is dark where that is wanted", async () => {
    const id = await world.submit({ url: world.at("a-host-with-quite-a-long-name", `/${"x".repeat(120)}`) })
    await PageWorld.settled(world, id)
    const page = await open("", { viewport: { width: 390, height: 844 }, colorScheme: "dark" })
    for (const place of ["#/", "#/jobs", `#/jobs/${id}`, "#/dead", `#/lanes/${encodeURIComponent(laneOf("named"))}`]) {
      await page.goto(`${world.url}/${place}`)
      await page.getByRole("heading", { level: 1 }).waitFor()
      await page.getByText("Loading…").first().waitFor({ state: "detached" })
      assert.isAtMost(await page.evaluate(() => document.documentElement.scrollWidth), 390, place)
    }
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    assert.strictEqual(await ground(), "rgb(16, 22, 28)")
    await page.emulateMedia({ colorScheme: "light" })
    assert.strictEqual(await ground(), "rgb(255, 255, 255)")
  })

  it("says so where the dam answers what it does not understand, and shows the rest", async () => {
    const page = await open()
    await page.route("**/api/v1/stats", (route) => route.fulfill({ json: { span_ms: "ten", spans: [] } }))
    await page.route("**/api/v1/endpoints", (route) => route.fulfill({ body: "<html>" }))
    await page.goto(`${world.url}/#/`)
    await page.getByRole("alert").getByText("does not understand").waitFor()
    await page.getByText("live", { exact: true }).waitFor()
    await page.route("**/api/v1/events", (route) =>
      route.fulfill({ contentType: "text/event-stream", body: 'event: snapshot\ndata: {"lanes":7}\n\n' })
    )
    await page.reload()
    await page.getByRole("status").getByText("does not understand").waitFor()
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor()
    await page.route("**/session", (route) => route.fulfill({ json: { customer: 7 } }))
    await page.reload()
    await page.getByRole("status").getByText("does not understand").waitFor()
    await page.getByRole("button", { name: "Try again" }).waitFor()
  })

  it("weighs at most 100 kB as it travels", () => {
    const folder = join(dirname(built.bin), "dam/page")
    const bytes = readdirSync(folder)
      .filter((name) => !name.endsWith(".map"))
      .map((name) => gzipSync(readFileSync(join(folder, name))).length)
    assert.isAbove(bytes.length, 0)
    assert.isAtMost(
      bytes.reduce((sum, one) => sum + one),
      100_000
    )
  })

  it("works where the browser names a language that does not exist", async () => {
    const page = await open()
    await page.addInitScript(() =>
      Object.defineProperty(Navigator.prototype, "language", { configurable: true, get: () => "en-US@posix" })
    )
    await page.reload()
    await page.getByRole("img", { name: /Jobs per second/ }).waitFor()
  })
})

describe("the page of a dam with keys", () => {
  it("takes a key, keeps it from scripts and from other sites, and forgets it", async () => {
    const guarded = await PageWorld.make(built.bin, built.folder, "acme:key-of-acme\n")
    const page = await open("", {}, guarded)
    await page.getByLabel("API key").fill("no such key")
    await page.getByRole("button", { name: "Sign in" }).click()
    await page.getByRole("alert").getByText("no key of this dam").waitFor()
    assert.deepStrictEqual(await page.context().cookies(), [])
    await page.getByLabel("API key").fill("key-of-acme")
    await page.getByLabel("API key").press("Enter")
    await page.getByRole("heading", { name: "Overview" }).waitFor()
    await page.getByText("live", { exact: true }).waitFor()
    const [cookie, ...others] = await page.context().cookies()
    assert.lengthOf(others, 0)
    assert.include(cookie, { httpOnly: true, sameSite: "Strict", path: "/" })
    assert.notInclude(cookie?.value ?? "", "acme")
    assert.strictEqual(await page.evaluate(() => document.cookie), "")
    await page.reload()
    await page.getByRole("button", { name: "Sign out acme" }).click()
    await page.getByLabel("API key").waitFor()
    assert.deepStrictEqual(await page.context().cookies(), [])
    const headers = { cookie: `${cookie?.name}=${cookie?.value}` }
    assert.strictEqual((await ask(`${guarded.url}/api/v1/jobs`, { headers })).status, 401)
    await guarded.close()
  })
})
