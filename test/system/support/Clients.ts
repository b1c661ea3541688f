/** What clients that are generated from the API's description are tried with: a built dam, a target, and the description. */
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { type Built, build } from "./Built.ts"
import { endAll, start } from "./DamProcess.ts"

export interface World {
  readonly built: Built
  readonly dam: string
  readonly target: string
  /** How often the target was called. */
  readonly calls: () => number
  /** The file of the description, as the dam serves it. */
  readonly description: string
  readonly document: any
  /** A folder of its own for one client. */
  readonly folder: (name: string) => string
  readonly close: () => Promise<void>
}

export const make = async (): Promise<World> => {
  const built = await build()
  let calls = 0
  const server = createServer((request, response) => {
    calls++
    request.resume().on("end", () => response.writeHead(201, { "x-from": "target" }).end("fine"))
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", () => resolve()))
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`
  const folder = mkdtempSync(join(built.folder, "clients-"))
  const { url } = await start(built.bin, ["--port", "0", "--db", join(folder, "dam.db"), "--allow-private"])
  const document = await (await fetch(`${url}/openapi.json`)).json()
  const description = join(folder, "openapi.json")
  writeFileSync(description, JSON.stringify(document))
  return {
    built,
    dam: url,
    target,
    calls: () => calls,
    description,
    document,
    folder: (name) => {
      const own = join(folder, name)
      mkdirSync(own, { recursive: true })
      return own
    },
    close: async () => {
      await endAll()
      server.closeAllConnections()
      server.close()
      built.remove()
    }
  }
}

/** Runs a command to its end; answers what it printed, and fails with all it said. */
export const run = (
  cwd: string,
  command: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, NO_COLOR: "1", ...env }, maxBuffer: 64 * 1024 * 1024 }
    execFile(command, args, options, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`))
    )
  })

/** What every client tells as the last line it prints, in JSON, after it has submitted, waited for and read one job. */
export interface Told {
  readonly id: string
  /** Whether handing the same job over again was answered with the same job, and as known. */
  readonly again: string
  readonly duplicate: boolean
  readonly status: string
  readonly answer: number
  readonly body: string
  readonly createdAt: number
  readonly startedAt: number
  readonly retryAt: number
  /** The field that a refused submission names. */
  readonly field: string
}

export const toldIn = (output: string): Told => JSON.parse(output.trim().split("\n").at(-1) ?? "")
