/** What people and programs read: text or JSON on standard output, everything else on standard error. */
import { displayWidth } from "effect/cli/CliOutput"
import type * as GlobalFlag from "effect/cli/GlobalFlag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { styleText } from "node:util"
import * as Globals from "./Globals.ts"

export type Style = "bold" | "dim" | "green" | "red" | "yellow" | "cyan"

export type Paint = (style: Style, text: string) => string

/** Colours where a terminal asks for them. */
export const paint: Effect.Effect<Paint> = Effect.map(
  TerminalCapabilities.TerminalCapabilities,
  ({ canColor }): Paint =>
    canColor ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text
)

/** Prints the one or the other. The text is made only when it is read. */
export const print = (json: Schema.Json, text: (paint: Paint) => string): Effect.Effect<void, never, JsonFlag> =>
  Effect.flatMap(Globals.Json, (isJson) =>
    isJson ? Console.log(JSON.stringify(json)) : Effect.flatMap(paint, (paint) => Console.log(text(paint)))
  )

export type JsonFlag = GlobalFlag.Setting.Identifier<"json">

/** For people only, on standard error: what was done, what is under way. */
export const note = (text: string): Effect.Effect<void, never, JsonFlag> =>
  Effect.flatMap(Globals.Json, (isJson) => (isJson ? Effect.void : Console.error(text)))

/** Columns as wide as they have to be. */
export const table = (
  paint: Paint,
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  indent = ""
): string => {
  const widths = head.map((name, column) =>
    Math.max(...[[...head], ...rows].map((row) => displayWidth(row[column] ?? name)))
  )
  const line = (cells: ReadonlyArray<string>) =>
    (indent + cells.map((cell, column) => padded(cell, widths[column] ?? 0)).join("  ")).trimEnd()
  return [line(head.map((name) => paint("dim", name))), ...rows.map(line)].join("\n")
}

const padded = (cell: string, width: number): string => cell + " ".repeat(Math.max(0, width - displayWidth(cell)))

/** Names and what they are, those without a value left out. */
export const facts = (paint: Paint, pairs: ReadonlyArray<readonly [string, string | undefined]>): string => {
  const said = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined && pair[1] !== "")
  const width = Math.max(0, ...said.map(([name]) => name.length))
  return said.map(([name, value]) => `  ${paint("dim", name.padEnd(width))}  ${value}`).join("\n")
}

/** The entries of a page as they came. */
export const listIn = (page: Schema.Json, name: string): ReadonlyArray<Schema.Json> => {
  const list = typeof page === "object" && page !== null ? Object.entries(page).find(([key]) => key === name)?.[1] : []
  return Array.isArray(list) ? list : []
}

/** Text from elsewhere in one line: what would steer a terminal becomes visible. */
export const plain = (text: string, longest = 200): string => {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  const visible = text.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => (char === "\n" ? "⏎" : "�"))
  return visible.length <= longest ? visible : `${visible.slice(0, longest - 1)}…`
}

/** Text from elsewhere that keeps its lines. */
export const block = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line) => plain(line, 2000))
    .join("\n")

/** A target without its query, which may hold a secret. */
export const target = (url: string, longest = 60): string => plain(url.replace(/[?#].*/, ""), longest)

/** `850ms`, `12s`, `5m`, `3h`, `4d`: two digits say enough. */
export const span = (millis: number): string => {
  const size = Math.abs(millis)
  if (size < 1000) return `${Math.round(size)}ms`
  if (size < 120_000) return `${Math.round(size / 1000)}s`
  if (size < 7_200_000) return `${Math.round(size / 60_000)}m`
  return size < 172_800_000 ? `${Math.round(size / 3_600_000)}h` : `${Math.round(size / 86_400_000)}d`
}

export const time = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

/** A moment with how far away it is. */
export const moment = (millis: number | null | undefined, now: number): string | undefined => {
  if (millis === null || millis === undefined) return undefined
  return `${time(millis)} (${millis > now ? `in ${span(millis - now)}` : `${span(now - millis)} ago`})`
}

export const statusStyle = (status: string): Style => {
  if (status === "succeeded" || status === "delivered") return "green"
  if (status === "failed" || status === "undelivered" || status === "dead") return "red"
  return status === "cancelled" ? "dim" : status === "running" ? "cyan" : "yellow"
}
