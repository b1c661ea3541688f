/**
 * The dates of HTTP (RFC 9110, 5.6.7) in all three forms, as Effect's `Headers.parseHttpDate` reads them, without the
 * calendar and the schemas that come along with that.
 */

const forms: ReadonlyArray<RegExp> = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  /^(?:mon|tue|wed|thu|fri|sat|sun), (?<day>\d\d) (?<month>[a-z]{3}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) gmt$/i,
  // Sunday, 06-Nov-94 08:49:37 GMT
  /^(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day), (?<day>\d\d)-(?<month>[a-z]{3})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) gmt$/i,
  // Sun Nov  6 08:49:37 1994
  /^(?:mon|tue|wed|thu|fri|sat|sun) (?<month>[a-z]{3}) (?<day> \d|\d\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/i
]

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/** Epoch milliseconds of a date of HTTP; `undefined` of anything else, a 31 February for instance. */
export const parse = (text: string): number | undefined => {
  const date = text.trim()
  for (const form of forms) {
    const found = form.exec(date)?.groups
    if (found !== undefined) return millisOf(found)
  }
  return undefined
}

const millisOf = ({ day = "", month = "", time = "", year = "" }: Readonly<Record<string, string>>) => {
  const [hour = 0, minute = 0, second = 0] = time.split(":").map(Number)
  const begins = firstOf(centuryOf(year), months.indexOf(month.toLowerCase()))
  // the grammar allows 23:59:60, a leap second: the one after it
  if (begins === undefined || hour > 23 || minute > 59 || second > 60) return undefined
  const date = Number(day)
  return date < 1 || date > begins.days
    ? undefined
    : begins.at + ((((date - 1) * 24 + hour) * 60 + minute) * 60 + second) * 1000
}

/** Two digits are of 1970 to 2069, whatever year it is: what a text means shall not depend on when it is read. */
const centuryOf = (year: string): number =>
  year.length === 4 ? Number(year) : Number(year) + (Number(year) < 70 ? 2000 : 1900)

/** When a month begins, and how many days it has. */
const firstOf = (year: number, month: number) => {
  if (month === -1) return undefined
  // `Date.UTC` takes a year below 100 for one of the last century; every 400 years the calendar is the same again
  const first = Date.UTC(year + 400, month)
  return { at: first - CYCLE, days: (Date.UTC(year + 400, month + 1) - first) / DAY }
}

const DAY = 86_400_000
const CYCLE = 146_097 * DAY
