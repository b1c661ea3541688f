/**
 * Takes a picture of every view: light, dark and on a phone, before a dam with nothing, with 50 jobs, and with 100,000.
 * For whoever changes the page to look at, in `.tmp/pictures`: `npm run build:js && node test/system/support/pictures.ts`;
 * with numbers behind it, only those (`pictures.ts 0 50`).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Page } from "playwright-core"
import * as Chromium from "./Browser.ts"
import { root } from "./Built.ts"
import { ask, type DamProcess, endAll, start } from "./DamProcess.ts"
import { fill } from "./Filled.ts"

const into = join(root, ".tmp/pictures")
mkdirSync(into, { recursive: true })

const looks = [
  { name: "light", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 390, height: 844 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" }
] as const

/** What is unfolded shows what it may look like at its widest. */
const unfold = (page: Page) =>
  page.locator(".menus details:not([open]) > summary").evaluateAll((all) => {
    for (const one of all) if (one instanceof HTMLElement) one.click()
  })

interface View {
  readonly name: string
  readonly place: string
  readonly before?: (page: Page) => Promise<unknown>
}

const viewsOf = (ids: Readonly<Record<string, string>>, lane: string): ReadonlyArray<View> => [
  { name: "overview", place: "#/" },
  { name: "overview-day", place: "#/?span=24h" },
  { name: "overview-week", place: "#/?span=7d" },
  { name: "jobs", place: "#/jobs" },
  { name: "jobs-unfolded", place: "#/jobs?count=true&sort=oldest&since=between&view=all+that+failed", before: unfold },
  { name: "jobs-none", place: "#/jobs?q=nothing&count=true" },
  ...Object.entries(ids)
    .filter(([, id]) => id !== "")
    .map(([kind, id]) => ({ name: `job-${kind}`, place: `#/jobs/${id}` })),
  { name: "failures", place: "#/failures" },
  { name: "dead", place: "#/dead" },
  { name: "notices", place: "#/notices" },
  { name: "limits", place: "#/limits" },
  { name: "lane", place: `#/lanes/${lane}` },
  { name: "lane-week", place: `#/lanes/${lane}?span=7d` },
  { name: "submit", place: ids["failed"] === undefined ? "#/submit" : `#/submit?from=${ids["failed"]}` },
  {
    name: "keys",
    place: "#/nowhere",
    before: async (page) => {
      await page.getByRole("heading", { level: 1 }).waitFor()
      await page.keyboard.press("?")
    }
  }
]

/** One after the other, side by side: as wide as a screen, dark, and the phone. */
const picture = async (dam: DamProcess, jobs: number, { before, name, place }: View) => {
  const shots = await Promise.all(
    looks.map(async ({ colorScheme, name: look, viewport }) => {
      const context = await browser.newContext({ locale: "en-GB", viewport, colorScheme })
      const page = await context.newPage()
      await page.goto(`${dam.url}/${place}`)
      await page.getByText("live", { exact: true }).waitFor()
      await page.getByText("Loading…").first().waitFor({ state: "detached" })
      await before?.(page)
      await sleep(2500)
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      if (width > viewport.width) console.log(`${jobs} ${name} ${look} is ${width} wide`)
      const shot = await page.screenshot({ fullPage: true })
      await context.close()
      return { look, shot }
    })
  )
  for (const { look, shot } of shots) writeFileSync(join(into, `${jobs}-${name}-${look}.png`), shot)
}

const browser = await Chromium.open()
const asked = process.argv.slice(2).map(Number)
for (const jobs of asked.length === 0 ? [0, 50, 100_000] : asked) {
  const folder = mkdtempSync(join(root, ".tmp", "pictures-dam-"))
  const upstream = createServer((_, response) => setTimeout(() => response.end('{"ok":true}'), 200))
  await new Promise<void>((resolve) => void upstream.listen(0, "127.0.0.1", () => resolve()))
  const { port } = upstream.address() as AddressInfo
  const path = join(folder, "dam.db")
  const ids = jobs === 0 ? {} : await fill({ path, jobs, lanes: jobs < 1000 ? 8 : 200, port, now: Date.now() })
  const config = join(folder, "dam.yaml")
  writeFileSync(config, "pacing: { default: { rps: 0.05, max_concurrent: 2 } }\n")
  const dam = await start(
    join(root, "dist/bin.js"),
    ["--port", "0", "--db", path, "--config", config, "--allow-private"],
    {
      nodeArgs: ["--import", join(import.meta.dirname, "names.ts")]
    }
  )
  if (jobs > 0) {
    const body = { urls: [`http://ops.example:${port}/notices`], thresholds: { stored_bytes: 1, dead_letters: 2 } }
    await ask(`${dam.url}/api/v1/notices`, { method: "PUT", body })
  }
  const views = viewsOf(ids, encodeURIComponent(`host-000.example:${port}`))
  for (const view of views) await picture(dam, jobs, view)
  console.log(`${jobs}: ${views.length} views`)
  await endAll()
  upstream.closeAllConnections()
  upstream.close()
  rmSync(folder, { recursive: true })
}
await browser.close()
