/** Takes the pictures of `docs/images` anew: `npm run screenshots`. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import sharp from "sharp"
import * as Chromium from "./Browser.ts"
import { root } from "./Built.ts"
import * as PageWorld from "./PageWorld.ts"

const images = join(root, "docs/images")
mkdirSync(images, { recursive: true })
mkdirSync(join(root, ".tmp"), { recursive: true })
const folder = mkdtempSync(join(root, ".tmp", "screenshots-"))

const world = await PageWorld.make(join(root, "dist/bin.js"), folder)
const browser = await Chromium.open()
const { race } = await PageWorld.fill(world)
const laneOf = (name: string) => encodeURIComponent(new URL(world.at(name, "/")).host)

const wide = { width: 1100, height: 760 }
const phone = { width: 390, height: 780 }

/** The charts fill while the page is open. */
const watched = 30_000

const pictures = [
  { name: "overview", place: "#/", viewport: { ...wide, height: 1200 }, colorScheme: "light", after: watched },
  { name: "job", place: `#/jobs/${race}`, viewport: { ...wide, height: 960 }, colorScheme: "light", after: 1000 },
  {
    name: "lane",
    place: `#/lanes/${laneOf("reports")}`,
    viewport: { ...wide, height: 900 },
    colorScheme: "light",
    after: watched
  },
  { name: "dead-letters", place: "#/dead", viewport: { ...wide, height: 700 }, colorScheme: "light", after: 0 },
  { name: "phone", place: "#/", viewport: phone, colorScheme: "dark", after: 5000 }
] as const

await Promise.all(
  pictures.map(async ({ after, colorScheme, name, place, viewport }) => {
    const context = await browser.newContext({ locale: "en-GB", viewport, colorScheme })
    const page = await context.newPage()
    await page.goto(`${world.url}/${place}`)
    await page.getByText("live", { exact: true }).waitFor()
    await page.locator("main h1").waitFor()
    await sleep(after)
    await page.getByText("Loading…").first().waitFor({ state: "detached" })
    const path = join(images, `${name}.png`)
    // they travel in the package: 256 colours look the same and take less than half
    const small = sharp(await page.screenshot()).png({ palette: true, colours: 256, dither: 0, compressionLevel: 9 })
    const { size } = await small.toFile(path)
    await context.close()
    console.log(`${name}.png ${Math.round(size / 1000)} kB`)
    if (size > 75_000) throw new Error(`${name}.png is larger than 75 kB`)
  })
)

await browser.close()
await world.close()
rmSync(folder, { recursive: true })
