/** How far a long command is: a bar where standard error is a terminal, now and then a line elsewhere. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Globals from "./Globals.ts"
import * as Output from "./Output.ts"

export interface Count {
  readonly done: number
  readonly total: number
  /** What was done before this run began, and says nothing about its speed. */
  readonly before: number
  readonly failed: number
  /** What is counted, where it is not what the command was given. */
  readonly unit?: string | undefined
}

export interface Progress {
  readonly show: (count: Count) => Effect.Effect<void>
  /** Leaves an empty line behind. */
  readonly clear: Effect.Effect<void>
}

export const make = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  const isTerminal = yield* stdio.stderrIsTerminal
  const isJson = yield* Globals.Json
  const start = yield* Clock.currentTimeMillis
  let shownAt = start
  const every = isTerminal ? 100 : 10_000
  return {
    show: (count) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (now - shownAt < every || (isJson && !isTerminal)) return
        shownAt = now
        const text = line(count, now - start)
        yield* isTerminal ? raw(`\r\x1b[K${bar(count)} ${text}`) : Console.error(text)
      }),
    clear: isTerminal ? raw("\r\x1b[K") : Effect.void
  } satisfies Progress
})

const raw = (text: string) => Effect.sync(() => void process.stderr.write(text))

/** `412 of 1000 (41%), 311/s, 2s left, 3 refused`. */
export const line = ({ before, done, failed, total, unit }: Count, elapsed: number): string => {
  const rate = elapsed <= 0 ? 0 : ((done - before) * 1000) / elapsed
  return [
    `${done} of ${total}${unit === undefined ? "" : ` ${unit}`} (${total === 0 ? 100 : Math.floor((done * 100) / total)}%)`,
    `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`,
    ...(rate > 0 && done < total ? [`${Output.span(((total - done) / rate) * 1000)} left`] : []),
    ...(failed === 0 ? [] : [`${failed} refused`])
  ].join(", ")
}

const width = 24

export const bar = ({ done, total }: Count): string => {
  const filled = total === 0 ? width : Math.floor((done * width) / total)
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}]`
}
