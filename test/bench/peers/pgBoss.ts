/**
 * pg-boss on Postgres, told of new jobs instead of asking every half second, in batches and without a pause while they are
 * full, as its documentation advises for much work.
 */
import { PgBoss } from "pg-boss"
import { type Answer, post, type Start } from "./Contender.ts"

const workers = 4

export const start: Start = async ({ atOnce, database, storesResults, target, webhook }) => {
  const boss = new PgBoss({ connectionString: database, max: 20, useListenNotify: true })
  boss.on("error", console.error)
  await boss.start()
  const work = async <A>(queue: string, handle: (data: A) => Promise<unknown>) => {
    await boss.createQueue(queue, { retryLimit: 3, retryBackoff: true, notify: true })
    const options = {
      localConcurrency: workers,
      batchSize: atOnce / workers,
      burstWhenBatchFull: true,
      pollingIntervalSeconds: 0.5,
      perJobResults: true
    } as const
    await boss.work<A>(queue, options, (jobs) =>
      Promise.all(
        jobs.map(async ({ data, id }) =>
          handle(data).then(
            () => ({ id, status: "completed" }) as const,
            () => ({ id, status: "failed" }) as const
          )
        )
      )
    )
  }
  const tell = (answer: Answer) => post(webhook, JSON.stringify(answer))
  await work<Answer>("results", tell)
  await work<{ readonly body: string }>("calls", async ({ body }) => {
    const answer = await post(target, body)
    await (storesResults ? boss.send("results", answer) : tell(answer))
  })
  return { submit: (body) => boss.send("calls", { body }), stop: () => boss.stop({ graceful: false }) }
}
