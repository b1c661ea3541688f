/** What is typed to choose what operators are told, as the JSON of the API. What is wrong with it is for the dam to say. */
import type { Notices } from "../dam/api/NoticeShapes.ts"

export type Now = typeof Notices.Type
type Mark = keyof Now["thresholds"]

interface Described {
  readonly title: string
  readonly hint: string
  /** How much of what the API has is one of what is typed. */
  readonly scale: number
}

/** From where on something is told. */
export const marks: Readonly<Record<Mark, Described>> = {
  endpoint_failures: { title: "A receiver has failed, times in a row", hint: "Left empty: 5", scale: 1 },
  dead_letters: { title: "More dead letters than", hint: "Left empty: 100", scale: 1 },
  lane_held_ms: { title: "A lane was held, minutes", hint: "Left empty: 10", scale: 60_000 },
  stored_bytes: { title: "The database holds, MB", hint: "Left empty: 4/5 of what it may", scale: 1e6 },
  memory_bytes: { title: "Memory of the dam, MB", hint: "Left empty: 4/5 of what it may", scale: 1e6 }
}

/** The names of the marks. */
export const markNames = Object.keys(marks).filter((name): name is Mark => name in marks)

/** What may be told. */
export const events: Readonly<Record<string, string>> = {
  endpoint_failing: "a receiver fails",
  endpoint_disabled: "a receiver is disabled",
  endpoint_recovered: "a receiver works again",
  dead_letters: "dead letters pile up",
  lane_held: "a lane is held for long",
  stored_bytes: "the database fills",
  memory_bytes: "memory fills"
}

/** The form, as it is typed. */
export interface Typed {
  /** A line for each. */
  readonly urls: string
  readonly events: ReadonlyArray<string>
  readonly marks: Readonly<Record<Mark, string>>
}

const textOf = (name: Mark, { thresholds }: Now): string =>
  String(Number((thresholds[name] / marks[name].scale).toPrecision(6)))

/** The form, filled with what is chosen now. */
export const typedOf = (now: Now): Typed => ({
  urls: now.urls.join("\n"),
  events: now.events,
  marks: {
    endpoint_failures: textOf("endpoint_failures", now),
    dead_letters: textOf("dead_letters", now),
    lane_held_ms: textOf("lane_held_ms", now),
    stored_bytes: textOf("stored_bytes", now),
    memory_bytes: textOf("memory_bytes", now)
  }
})

/** The body of the choice. A mark that nobody has touched stays to the byte, one that is empty is left to the dam. */
export const choiceOf = (typed: Typed, now: Now) => ({
  urls: typed.urls
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== ""),
  // in their own order, whichever was ticked last
  events: Object.keys(events).filter((name) => typed.events.includes(name)),
  thresholds: Object.fromEntries(
    markNames.flatMap((name): ReadonlyArray<readonly [string, number]> => {
      const text = typed.marks[name].trim()
      if (text === "") return []
      return [[name, text === textOf(name, now) ? now.thresholds[name] : Math.round(Number(text) * marks[name].scale)]]
    })
  )
})

/** The field of the form that a field of the API stands in: `urls[0]` is one of the lines. */
export const fieldOf = (path: string): string => /^thresholds\.(\w+)/.exec(path)?.[1] ?? path.split(/[.[]/)[0] ?? path
