/** The package as npm packs it, and projects that have installed it. */
import { execFile } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { root } from "./Built.ts"

export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** Runs a command to its end; answers what it printed, and fails with all it said. */
export const run = (
  cwd: string,
  command: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string | undefined>> = {}
): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, NO_COLOR: "1", ...env }, maxBuffer: 64 * 1024 * 1024 }
    execFile(command, args, options, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`))
    )
  })

export interface Packed {
  readonly tarball: string
  /** The files in it. */
  readonly published: ReadonlyArray<string>
  /** A project that has installed it, Effect, and these. */
  readonly project: (name: string, ...packages: ReadonlyArray<string>) => Promise<Project>
  readonly remove: () => void
}

export interface Project {
  readonly folder: string
  readonly write: (files: Readonly<Record<string, string>>) => void
  /** Runs a file with the Node of these tests, or with another program. */
  readonly node: (file: string, ...args: ReadonlyArray<string>) => Promise<string>
  readonly run: (command: string, ...args: ReadonlyArray<string>) => Promise<string>
}

export const pack = async (): Promise<Packed> => {
  // outside the root: whatever is found there, a consumer finds too
  const folder = mkdtempSync(join(tmpdir(), "consumer-"))
  const said = await run(root, "npm", ["pack", "--silent", "--json", "--pack-destination", folder])
  const [packed] = JSON.parse(said)
  const tarball = join(folder, packed.filename)
  return {
    tarball,
    published: packed.files.map((file: { readonly path: string }) => file.path),
    project: async (name, ...packages) => {
      const own = join(folder, name)
      mkdirSync(own)
      writeFileSync(join(own, "package.json"), JSON.stringify({ name, private: true }))
      const quiet = ["--prefer-offline", "--no-audit", "--no-fund"]
      const versions = ["effect", "@types/node"].map((one) => `${one}@${manifest.devDependencies[one]}`)
      await run(own, "npm", ["install", ...quiet, tarball, ...versions, ...packages])
      return project(own)
    },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}

const project = (folder: string): Project => ({
  folder,
  write: (files) => {
    for (const [file, text] of Object.entries(files)) {
      const path = join(folder, file)
      if (!existsSync(dirname(path))) mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
  },
  node: (file, ...args) => run(folder, process.execPath, [file, ...args]),
  run: (command, ...args) => run(folder, command, args)
})
