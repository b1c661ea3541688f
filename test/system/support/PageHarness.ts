/** A browser before a dam, for the tests of a file: whatever the page does that it should not is a failure. */
import { afterAll, afterEach, assert, beforeAll } from "@effect/vitest"
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import * as Chromium from "./Browser.ts"
import { type Built, build } from "./Built.ts"
import { endAll } from "./DamProcess.ts"
import * as PageWorld from "./PageWorld.ts"

interface Made {
  readonly built: Built
  readonly world: PageWorld.World
}

/** Sets all up before the tests of the file, and takes it down behind them. */
export const use = (then: (made: Made) => void) => {
  let browser: Browser
  let made: Made
  const contexts: Array<BrowserContext> = []
  /** What the page should not do, and did. */
  const faults: Array<string> = []

  beforeAll(async () => {
    const built = await build()
    browser = await Chromium.open()
    made = { built, world: await PageWorld.make(built.bin, built.folder) }
    then(made)
  })

  afterAll(async () => {
    await browser.close()
    await made.world.close()
    await endAll()
    made.built.remove()
  })

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()))
    assert.deepStrictEqual(faults.splice(0), [])
  })

  /** Opens a page; whatever it says on the console, breaks, or asks of others is a fault. */
  const open = async (place = "", options: BrowserContextOptions = {}, { url } = made.world): Promise<Page> => {
    const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 900 }, ...options })
    contexts.push(context)
    context.setDefaultTimeout(20_000)
    const page = await context.newPage()
    page.on("pageerror", (error) => faults.push(error.message))
    page.on("console", (message) => {
      // what is refused is a status which the browser notes by itself
      if (["error", "warning"].includes(message.type()) && !/status of (400|401|403|404|422)/.test(message.text()))
        faults.push(message.text())
    })
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== url) faults.push(`it asked for ${request.url()}`)
    })
    await page.goto(`${url}/${place}`)
    return page
  }

  return { faults, open }
}
