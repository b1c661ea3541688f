/** A browser that comes from the registry like everything else. */
import chromium from "@sparticuz/chromium"
import { type Browser, chromium as playwright } from "playwright-core"

// its own arguments keep everything in one process, which ends with the first window
export const open = async (): Promise<Browser> =>
  playwright.launch({ executablePath: await chromium.executablePath(), args: ["--no-sandbox"], headless: true })
