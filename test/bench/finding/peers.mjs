// What people put before a limited upstream, as it is published. Runs in a folder where it is installed; is told the
// upstreams of each client and how many calls to get through with.
import Bottleneck from "bottleneck"
import got from "got"
import ky from "ky"
import PQueue from "p-queue"
import pRetry from "p-retry"

const { calls, rps, urls } = JSON.parse(process.argv[2])
const atOnce = 10

const refused = () => Object.assign(new Error("refused"), { isRefused: true })

const call = async (url) => {
  const answer = await fetch(url)
  await answer.arrayBuffer()
  if (answer.status === 429) throw refused()
}

const queued = (one) => {
  const queue = new PQueue({ concurrency: atOnce })
  return queue.addAll(Array.from({ length: calls }, () => one))
}

const clients = {
  "p-queue and p-retry": (url) => queued(() => pRetry(() => call(url), { retries: 10_000 })),
  "got, ten at once": (url) =>
    queued(() => got(url, { retry: { limit: 10_000, statusCodes: [429] }, throwHttpErrors: true })),
  "ky, ten at once": (url) =>
    queued(() => ky(url, { timeout: false, retry: { limit: 10_000, statusCodes: [429] } }).text()),
  "bottleneck, told the rate": (url) => {
    const limiter = new Bottleneck({ minTime: 1000 / rps, maxConcurrent: atOnce })
    limiter.on("failed", () => 1000)
    return Promise.all(Array.from({ length: calls }, () => limiter.schedule(() => call(url))))
  }
}

await Promise.all(
  Object.entries(urls).flatMap(([client, its]) =>
    its.map((url) => clients[client](url).catch((error) => console.error(`${client}: ${error}`)))
  )
)
