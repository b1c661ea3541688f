/** graphile-worker on Postgres, with the settings of the benchmark in its documentation. */
import { Logger, run } from "graphile-worker"
import { type Answer, post, type Start } from "./Contender.ts"

export const start: Start = async ({ atOnce, database, storesResults, target, webhook }) => {
  const tell = (answer: Answer) => post(webhook, JSON.stringify(answer))
  const runner = await run({
    preset: {
      worker: {
        connectionString: database,
        concurrentJobs: atOnce,
        maxPoolSize: atOnce + 2,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0
      }
    },
    noHandleSignals: true,
    logger: new Logger(() => () => undefined),
    taskList: {
      call: async (data, { addJob }) => {
        const answer = await post(target, JSON.stringify(data))
        await (storesResults ? addJob("result", answer) : tell(answer))
      },
      result: async (data) => void (await tell(data as Answer))
    }
  })
  return {
    submit: (body) => runner.addJob("call", JSON.parse(body), { maxAttempts: 4 }),
    stop: () => runner.stop()
  }
}
