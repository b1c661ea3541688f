/** What a person sees: aligned rows, a tick or a cross, colour only where a terminal asks for it. */
import { styleText } from "node:util"

type Style = Parameters<typeof styleText>[0]

// `styleText` knows whether the stream is a terminal, and NO_COLOR
const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })

/** Something that happened, in columns. */
export interface Row {
  /** Who acted: `call`, `retry`, `reroute`, `fallback`, `forward`, `webhook`... */
  readonly kind: string
  readonly what: string
  readonly place?: string | undefined
  readonly result: string
  /** Milliseconds. */
  readonly took?: number | undefined
  readonly note?: string | undefined
}

export const heading = (title: string, facts: ReadonlyArray<readonly [string, string]>): void => {
  const width = Math.max(...facts.map(([name]) => name.length))
  write(["", paint("bold", title), ...facts.map(([name, fact]) => `  ${paint("dim", name.padEnd(width))}  ${fact}`)])
}

export const scene = (number: number, promise: string): void =>
  write(["", `${paint("dim", String(number).padStart(3))}  ${paint("bold", promise)}`])

/** A line that is replaced by the next one; nothing where output is not a terminal. */
export const waiting = (text: string): void => {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K     ${paint("dim", text)}`)
}

export const row = (sinceStart: number, { kind, note = "", place = "", result, took, what }: Row): void => {
  const columns = [
    paint("dim", millis(sinceStart).padStart(12)),
    kind.padEnd(8),
    what.padEnd(24),
    place.padEnd(10),
    paint(styleOf(result), result.padEnd(11)),
    paint("dim", (took === undefined ? "" : millis(took)).padStart(7)),
    ...(note === "" ? [] : [paint("dim", note)])
  ]
  write([columns.join("  ").trimEnd()])
}

export const kept = (claim: string): void => write([`     ${paint("green", "✓")} ${claim}`])

export const broken = (claim: string, happened: string): void =>
  write([`     ${paint("red", "✗")} ${claim}`, ...happened.split("\n").map((line) => `       ${paint("red", line)}`)])

export const closing = (summary: string, brokenScenes: ReadonlyArray<string>): void =>
  write([
    "",
    ...brokenScenes.map((promise) => `${paint("red", "✗ broken:")} ${promise}`),
    brokenScenes.length === 0 ? `${paint("green", "✓")} ${summary}` : summary,
    ""
  ])

export const stopped = (): void => write(["", "stopped", ""])

const write = (lines: ReadonlyArray<string>): void => {
  if (process.stdout.isTTY) process.stdout.write("\r\x1b[K")
  process.stdout.write(`${lines.join("\n")}\n`)
}

const millis = (duration: number): string => `${Math.round(duration)} ms`

const styleOf = (result: string): Style => {
  if (/^2\d\d$|^accepted|^known/.test(result)) return "green"
  return result === "interrupted" ? "dim" : "yellow"
}
