#!/usr/bin/env bash
# Of the two limiters of one package one begins full and the other empty.
#
# Where: limiter 4.1.0, ten tokens a minute: `RateLimiter` and `TokenBucket`
# Guess: a bucket of ten lets ten calls go at the start, by whichever class it is asked.
# Seen:  `RateLimiter` lets ten go at once. `TokenBucket` of the same size and rate lets none go: it begins empty, and its first
#        token comes after six seconds. Whoever moves from one to the other holds up a program that makes one call and ends.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund limiter@4.1.0
cat > ask.mjs <<'JS'
import { RateLimiter, TokenBucket } from "limiter"

const atOnce = (one) => {
  let calls = 0
  while (one.tryRemoveTokens(1)) calls++
  return calls
}
const bucket = new TokenBucket({ bucketSize: 10, tokensPerInterval: 10, interval: "minute" })
const limiter = new RateLimiter({ tokensPerInterval: 10, interval: "minute" })
console.log(`RateLimiter ${atOnce(limiter)}, TokenBucket ${atOnce(bucket)}`)
JS
seen=$(node ask.mjs)
echo "$seen"
[ "$seen" = "RateLimiter 10, TokenBucket 0" ]
