/** BullMQ on Redis. Its documentation advises to drop finished jobs, and ioredis to send together what is asked in one turn. */
import { Queue, Worker } from "bullmq"
import { Redis } from "ioredis"
import { type Answer, post, type Start } from "./Contender.ts"

const jobOptions = {
  attempts: 4,
  backoff: { type: "exponential", delay: 200 },
  removeOnComplete: true,
  removeOnFail: false
}

export const start: Start = async ({ atOnce, database, storesResults, target, webhook }) => {
  const connect = () => new Redis(database, { maxRetriesPerRequest: null, enableAutoPipelining: true })
  const queue = { connection: connect(), defaultJobOptions: jobOptions }
  const calls = new Queue<string>("calls", queue)
  const results = new Queue<Answer>("results", queue)
  const tell = (answer: Answer) => post(webhook, JSON.stringify(answer))
  const work = { concurrency: atOnce }
  const workers = [
    new Worker<string>(
      "calls",
      async ({ data }) => {
        const answer = await post(target, data)
        await (storesResults ? results.add("result", answer) : tell(answer))
      },
      { ...work, connection: connect() }
    ),
    new Worker<Answer>("results", async ({ data }) => void (await tell(data)), { ...work, connection: connect() })
  ]
  await Promise.all(workers.map((worker) => worker.waitUntilReady()))
  return {
    submit: (body) => calls.add("call", body),
    stop: () => Promise.all([...workers, calls, results].map((one) => one.close()))
  }
}
