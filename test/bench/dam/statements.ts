/**
 * Loaded into a dam before anything else (`--import`), it counts the statements that its writing thread runs and the
 * messages between the threads, and writes them as JSON to `BENCH_STATEMENTS` when the thread ends.
 */
import { StatementSync } from "node:sqlite"
import { appendFileSync } from "node:fs"
import { isMainThread, MessagePort, threadName } from "node:worker_threads"

/** What was counted in one thread: how often each statement was run, and how many messages it sent. */
export interface Counted {
  readonly statements: Readonly<Record<string, number>>
  readonly messages: number
}

const file = process.env["BENCH_STATEMENTS"]

if (!isMainThread && threadName === "ezthrottle-store" && file !== undefined) {
  const statements = new Map<string, number>()
  let messages = 0
  const countedSoFar = (): Counted => ({ statements: Object.fromEntries(statements), messages })
  const counting = (name: "all" | "get" | "run") => {
    // TypeScript knows a method of a prototype only by its overloads
    const original = StatementSync.prototype[name] as (...args: Array<unknown>) => unknown
    const counted = function (this: StatementSync, ...args: Array<unknown>) {
      const text = this.sourceSQL.replaceAll(/\s+/g, " ")
      statements.set(text, (statements.get(text) ?? 0) + 1)
      return original.apply(this, args)
    }
    Object.defineProperty(StatementSync.prototype, name, { value: counted })
  }
  counting("all")
  counting("get")
  counting("run")
  const post = MessagePort.prototype.postMessage as (...args: Array<unknown>) => void
  const posted = function (this: MessagePort, ...args: Array<unknown>) {
    // the last one: whoever hears it ends the thread
    if (args[0] === null) appendFileSync(file, JSON.stringify(countedSoFar()))
    else messages++
    post.apply(this, args)
  }
  Object.defineProperty(MessagePort.prototype, "postMessage", { value: posted })
}
