/**
 * What a schedule comes to, reckoned without our reading of cron and without our search: the clock of the zone is walked
 * minute by minute, as `Intl` shows it, and every minute is asked whether it matches.
 */

/** Fields as sets of numbers; `undefined` names all of them. */
export interface Wanted {
  readonly minutes: ReadonlyArray<number>
  readonly hours: ReadonlyArray<number>
  readonly weekdays?: ReadonlyArray<number> | undefined
  readonly days?: ReadonlyArray<number> | undefined
  readonly fixed: boolean
}

/** The wall times of a zone in a row, a minute each, as a clock in UTC would show them. */
export const walk = (zone: string, from: number, to: number): ReadonlyArray<readonly [at: number, wall: number]> => {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric"
  })
  const wallAt = (at: number) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    return Date.UTC(part["year"]!, part["month"]! - 1, part["day"]!, part["hour"]!, part["minute"]!)
  }
  const minutes: Array<readonly [number, number]> = []
  // where an hour begins and ends alike nothing has happened within it
  let wall = wallAt(from)
  for (let at = from; at < to; at += hour) {
    const end = wallAt(at + hour)
    for (let more = 0; more < hour; more += minute) {
      minutes.push([at + more, end - wall === hour ? wall + more : wallAt(at + more)])
    }
    wall = end
  }
  return minutes
}

/** The moments at which it fires. */
export const firings = (
  walked: ReadonlyArray<readonly [at: number, wall: number]>,
  wanted: Wanted
): ReadonlyArray<number> => {
  const times = new Set(wanted.hours.flatMap((one) => wanted.minutes.map((other) => one * 60 + other)))
  const matches = (wall: number) => {
    if (!times.has((wall / minute) % 1440)) return false
    const date = new Date(wall)
    return (wanted.weekdays?.includes(date.getUTCDay()) ?? true) && (wanted.days?.includes(date.getUTCDate()) ?? true)
  }
  const found: Array<number> = []
  let shown = walked[0]![1] - minute
  for (const [at, wall] of walked) {
    if (!wanted.fixed) {
      if (matches(wall)) found.push(at)
      continue
    }
    // all that the clock has gone over since the furthest it has shown, of which a repeated hour adds nothing
    if (wall > shown && wall - shown <= 3 * 60 * minute + minute) {
      for (let over = shown + minute; over <= wall; over += minute) {
        if (!matches(over)) continue
        found.push(at)
        break
      }
    } else if (wall > shown && matches(wall)) found.push(at)
    shown = Math.max(shown, wall)
  }
  return found
}

/** Zones whose clocks are set between the moments, by their names in the database. */
export const zonesThatChange = (from: number, to: number): ReadonlyArray<string> =>
  Intl.supportedValuesOf("timeZone").filter((zone) => {
    const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" })
    const offset = (at: number) => format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value
    const first = offset(from)
    for (let at = from; at <= to; at += 7 * 24 * 60 * minute) if (offset(at) !== first) return true
    return false
  })

const minute = 60_000
const hour = 60 * minute
