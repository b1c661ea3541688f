/** The package as it is built, in a folder of its own: another test packs, and empties `dist` for it, at the same time. */
import { execFile } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../../..", import.meta.url))

export interface Built {
  /** The command, to be run with Node. */
  readonly bin: string
  /** For databases and configurations; removed with the rest. */
  readonly folder: string
  readonly remove: () => void
}

/** Below the root, so that what is built finds its dependencies. */
export const build = async (): Promise<Built> => {
  mkdirSync(join(root, ".tmp"), { recursive: true })
  const folder = mkdtempSync(join(root, ".tmp", "system-"))
  chmodSync(folder, 0o755)
  const args = ["--no-clean", "--silent", "--out-dir", join(folder, "dist")]
  await new Promise<void>((resolve, reject) => {
    execFile(
      process.execPath,
      [join(root, "node_modules/tsup/dist/cli-default.js"), ...args],
      { cwd: root },
      (error) => (error === null ? resolve() : reject(error))
    )
  })
  return {
    bin: join(folder, "dist/bin.js"),
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
