/** `ezthrottle dam` as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process"

export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly with: number | string
  readonly output: string
  readonly errors: string
}

export interface DamProcess {
  /** Where it listens. */
  readonly url: string
  readonly port: number
  readonly pid: number | undefined
  readonly output: () => string
  readonly signal: (signal: NodeJS.Signals) => void
  readonly ended: Promise<Ended>
}

/** Everything that this test started and that may still run. */
const running = new Set<ChildProcess>()

/** Ends what a test that failed left behind. */
export const endAll = (): Promise<unknown> =>
  Promise.all(
    [...running].map((child) => {
      child.kill("SIGKILL")
      return new Promise((resolve) => child.once("close", resolve))
    })
  )

export interface LaunchOptions {
  readonly nodeArgs?: ReadonlyArray<string>
  /** Runs it as somebody without rights of his own, where this process could do everything. */
  readonly unprivileged?: boolean
  /** A command that runs it, and stays out of its way. */
  readonly under?: ReadonlyArray<string>
  /** Set beside what this process has. */
  readonly env?: Readonly<Record<string, string>>
}

const nobody = 65_534

interface Child {
  readonly child: ChildProcess
  readonly output: () => string
  readonly ended: Promise<Ended>
  /** Resolves once the output holds this, rejects when it ends before. */
  readonly says: (what: RegExp) => Promise<RegExpExecArray>
}

const launch = (bin: string, args: ReadonlyArray<string>, options: LaunchOptions = {}): Child => {
  const { EZTHROTTLE_DAM_KEYS: _, ...env } = process.env
  // whoever may do everything may also write what is marked as read-only
  const isDropped = options.unprivileged === true && process.getuid?.() === 0
  const [program = process.execPath, ...before] = [...(options.under ?? []), process.execPath]
  const child = spawn(program, [...before, ...(options.nodeArgs ?? []), bin, ...args], {
    env: { ...env, NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(isDropped ? { uid: nobody, gid: nobody } : {})
  })
  running.add(child)
  let output = ""
  let errors = ""
  const listeners = new Set<() => void>()
  child.stdout.on("data", (chunk) => {
    output += chunk
    for (const listener of listeners) listener()
  })
  child.stderr.on("data", (chunk) => (errors += chunk))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code, signal) => {
      running.delete(child)
      resolve({ with: code ?? signal ?? "nothing", output, errors })
    })
  })
  const says = (what: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = what.exec(output)
        if (found === null) return
        listeners.delete(look)
        resolve(found)
      }
      listeners.add(look)
      look()
      void ended.then((end) => reject(new Error(`it ended with ${end.with}: ${end.output}${end.errors}`)), reject)
    })
  return { child, output: () => output, ended, says }
}

/** Runs the command to its end. */
export const run = (bin: string, args: ReadonlyArray<string>, options?: LaunchOptions): Promise<Ended> =>
  launch(bin, args, options).ended

/** Starts a dam and waits until it says that it is ready. */
export const start = async (bin: string, args: ReadonlyArray<string>, options?: LaunchOptions): Promise<DamProcess> => {
  const { child, ended, output, says } = launch(bin, ["dam", ...args], options)
  await says(/^ready after/m)
  const [, url = ""] = /^ {2}listening {2}(\S+)$/m.exec(output()) ?? []
  return { url, port: Number(new URL(url).port), pid: child.pid, output, signal: (name) => child.kill(name), ended }
}

/** One request; the body is JSON both ways. */
export const ask = async (
  url: string,
  options: { readonly method?: string; readonly body?: unknown; readonly headers?: Record<string, string> } = {}
  // what a JSON answer holds is asserted by whoever asked
): Promise<{ readonly status: number; readonly body: any }> => {
  const answer = await fetch(url, {
    method: options.method ?? (options.body === undefined ? "GET" : "POST"),
    headers: { ...(options.body === undefined ? {} : { "content-type": "application/json" }), ...options.headers },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) })
  })
  const text = await answer.text()
  return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) }
}
