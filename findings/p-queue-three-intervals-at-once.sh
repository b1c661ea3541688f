#!/usr/bin/env bash
# A p-queue of five calls a second now and then makes fourteen within a tenth of a second.
#
# Where: p-queue 9.3.5, intervalCap 5, interval 1000
# Guess: five in a second, or nine around the edge of a fixed window: four late in one, five early in the next.
# Seen:  when the timer of the interval comes a millisecond early, the next two intervals start together: four calls at
#        941 ms and ten more at 999 ms. One run in four here; the option `strict` does not do it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund p-queue@9.3.5
cat > ask.mjs <<'JS'
import PQueue from "p-queue"

const sleep = (millis) => new Promise((done) => setTimeout(done, millis))

/** One call at once, twenty more 940 ms later; how many of those in the 200 ms after that. */
const burst = async (options) => {
  const queue = new PQueue({ intervalCap: 5, interval: 1000, ...options })
  let calls = 0
  const call = () => queue.add(() => void calls++)
  void call()
  await sleep(940)
  const before = calls
  for (let n = 0; n < 20; n++) void call()
  await sleep(200)
  const made = calls - before
  queue.clear()
  return made
}
const most = { plain: 0, strict: 0 }
for (let run = 0; run < 8; run++) {
  const plain = await Promise.all(Array.from({ length: 5 }, () => burst({})))
  most.plain = Math.max(most.plain, ...plain)
  most.strict = Math.max(most.strict, await burst({ strict: true }))
}
console.log(most.plain, most.strict)
process.exit()
JS
seen=$(node ask.mjs)
echo "$seen"
[ "$seen" = "14 5" ]
