/** What applying many schedules at once comes to: compared with those there are. */
import type { ScheduleDefinition, StoredSchedule } from "../store/ScheduleRecords.ts"

/**
 * How schedules are applied.
 *
 * @category models
 * @since 0.1.0
 */
export interface ApplyOptions {
  /** Deletes those that are not named. */
  readonly deletes: boolean
  /** Changes nothing and tells what would be. */
  readonly dryRun: boolean
}

/**
 * What becomes of schedules, by their names.
 *
 * @category models
 * @since 0.1.0
 */
export interface Applied {
  readonly added: ReadonlyArray<string>
  /** With the fields of their definitions that differ. */
  readonly changed: ReadonlyArray<{ readonly name: string; readonly fields: ReadonlyArray<string> }>
  readonly unchanged: ReadonlyArray<string>
  readonly deleted: ReadonlyArray<string>
  /** Not named and not deleted. */
  readonly kept: ReadonlyArray<string>
}

/** Compares what a customer has with what it wants to have. */
export const compare = (
  stored: ReadonlyArray<StoredSchedule>,
  wanted: ReadonlyMap<string, ScheduleDefinition>,
  deletes: boolean
): Applied => {
  const known = new Map(stored.map((one) => [one.name, one]))
  const others = stored.map(({ name }) => name).filter((name) => !wanted.has(name))
  const [added, changed, unchanged]: [Array<string>, Array<Applied["changed"][number]>, Array<string>] = [[], [], []]
  for (const [name, definition] of wanted) {
    const before = known.get(name)
    const fields = before === undefined ? undefined : differences(before, definition)
    if (fields === undefined) added.push(name)
    else if (fields.length === 0) unchanged.push(name)
    else changed.push({ name, fields })
  }
  return { added, changed, unchanged, deleted: deletes ? others : [], kept: deletes ? [] : others }
}

/** The fields that differ, in the protocol's spelling. */
const differences = (one: ScheduleDefinition, other: ScheduleDefinition): ReadonlyArray<string> => {
  const [before, after] = [textsOf(one), textsOf(other)]
  return Object.keys(before).filter((field) => before[field] !== after[field])
}

const textsOf = ({ rules, step, timing }: ScheduleDefinition): Readonly<Record<string, string | undefined>> => ({
  cron: timing.cron,
  // left out it is UTC
  zone: timing.cron === undefined ? undefined : (timing.zone ?? "UTC"),
  every_ms: text(timing.every),
  jitter_ms: text(timing.jitter ?? 0),
  start: text(timing.start),
  end: text(timing.end),
  overlap: rules.overlap,
  catch_up: rules.catchUp,
  catch_up_most: text(rules.catchUpMost),
  job: text(step)
})

const text = (value: unknown): string | undefined => JSON.stringify(value)
