#!/usr/bin/env bash
# What is debounced keeps the first two of its jobs, and drops every later one.
#
# Where: pg-boss 10.4.2, `sendDebounced(queue, data, options, 3600)`, over @electric-sql/pglite 0.5.17
# Guess: a debounce of an hour keeps the newest: of four jobs in a row the fourth is run, an hour later at most.
# Seen:  the first is run at once, the second in the next hour, as it was; the third and the fourth are answered with `null`
#        and are gone. Whoever debounces "save this state" saves a state that is two changes old.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund pg-boss@10.4.2 @electric-sql/pglite@0.5.17
cat > ask.mjs <<'JS'
import { PGlite } from "@electric-sql/pglite"
import PgBoss from "pg-boss"

const database = new PGlite()
const executeSql = async (text, values) => {
  if (values?.length > 0) return database.query(text, values)
  const results = await database.exec(text)
  return results.length === 1 ? results[0] : { rows: results.flatMap(({ rows }) => rows) }
}
const boss = new PgBoss({ db: { executeSql }, supervise: false, schedule: false })
await boss.start()
await boss.createQueue("states")
const taken = []
for (const state of [1, 2, 3, 4]) taken.push((await boss.sendDebounced("states", { state }, {}, 3600)) !== null)
const { rows } = await database.query("SELECT data FROM pgboss.job WHERE name = 'states' ORDER BY start_after")
console.log(`taken ${taken.join(" ")}; to be run: ${rows.map(({ data }) => data.state).join(" ")}`)
process.exit(0)
JS
seen=$(node ask.mjs)
echo "$seen"
[ "$seen" = "taken true true false false; to be run: 1 2" ]
