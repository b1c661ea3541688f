#!/usr/bin/env bash
# Four cron libraries run the same line at different moments on the two days a year that clocks are set.
#
# Where: croner 11.0.1, cron-parser 5.10.6, cron 4.4.0, cronosjs 1.7.1; Europe/Berlin, 2026
# Guess: `30 2 * * *` in the night without a half past two is run at half past three, or not at all, by all of them; a
#        line with a star in the minutes goes on through the hour that comes twice.
# Seen:  cron-parser runs it at 03:30, the other three at 03:00 sharp, which the line does not name. `*/30 2 * * *` in the
#        hour that comes twice runs four times in croner, twice in the others. `0 */2 * * *` in the short night leaves
#        croner nothing between midnight and four; the others run at three, an odd hour that the line does not name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund croner@11.0.1 cron-parser@5.10.6 cron@4.4.0 cronosjs@1.7.1
cat > ask.mjs <<'JS'
import { CronTime } from "cron"
import { CronExpressionParser } from "cron-parser"
import { Cron } from "croner"
import { CronosExpression } from "cronosjs"

const zone = "Europe/Berlin"
const libraries = {
  croner: (line, from, runs) => new Cron(line, { timezone: zone }).nextRuns(runs, from),
  "cron-parser": (line, from, runs) => {
    const found = CronExpressionParser.parse(line, { tz: zone, currentDate: from })
    return Array.from({ length: runs }, () => found.next().toDate())
  },
  cron: (line, from, runs) => {
    const time = new CronTime(line, zone)
    const found = []
    for (let at = from; found.length < runs; found.push(at)) at = time.getNextDateFrom(at, zone).toJSDate()
    return found
  },
  cronosjs: (line, from, runs) => CronosExpression.parse(line, { timezone: zone }).nextNDates(from, runs)
}
const cases = [
  ["30 2 * * *", "2026-03-28T12:00:00Z", 1],
  ["*/30 2 * * *", "2026-10-24T12:00:00Z", 4],
  ["0 */2 * * *", "2026-03-28T23:30:00Z", 1]
]
for (const [line, from, runs] of cases) {
  console.log(line)
  for (const [name, next] of Object.entries(libraries)) {
    const moments = next(line, new Date(from), runs).map((at) => at.toISOString().slice(5, 16))
    console.log(" ", name, moments.join(" "))
  }
}
JS
expected="30 2 * * *
  croner 03-29T01:00
  cron-parser 03-29T01:30
  cron 03-29T01:00
  cronosjs 03-29T01:00
*/30 2 * * *
  croner 10-25T00:00 10-25T00:30 10-25T01:00 10-25T01:30
  cron-parser 10-25T00:00 10-25T00:30 10-26T01:00 10-26T01:30
  cron 10-25T00:00 10-25T00:30 10-26T01:00 10-26T01:30
  cronosjs 10-25T00:00 10-25T00:30 10-26T01:00 10-26T01:30
0 */2 * * *
  croner 03-29T02:00
  cron-parser 03-29T01:00
  cron 03-29T01:00
  cronosjs 03-29T01:00"
seen=$(node ask.mjs)
echo "$seen"
[ "$seen" = "$expected" ]
