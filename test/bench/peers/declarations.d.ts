/** The little that is used of the peers, which are installed by the benchmark alone. */

declare module "ioredis" {
  export class Redis {
    constructor(url: string, options: { readonly maxRetriesPerRequest: null; readonly enableAutoPipelining: boolean })
  }
}

declare module "bullmq" {
  import type { Redis } from "ioredis"
  interface Closing {
    readonly close: () => Promise<void>
  }
  export class Queue<A> implements Closing {
    constructor(name: string, options: { readonly connection: Redis; readonly defaultJobOptions: object })
    add(name: string, data: A): Promise<unknown>
    readonly close: () => Promise<void>
  }
  export class Worker<A> implements Closing {
    constructor(
      name: string,
      handle: (job: { readonly data: A }) => Promise<void>,
      options: { readonly connection: Redis; readonly concurrency: number }
    )
    waitUntilReady(): Promise<unknown>
    readonly close: () => Promise<void>
  }
}

declare module "pg-boss" {
  interface JobResult {
    readonly id: string
    readonly status: "completed" | "failed"
  }
  export class PgBoss {
    constructor(options: { readonly connectionString: string; readonly max: number; readonly useListenNotify: boolean })
    on(event: "error", listener: (error: unknown) => void): void
    start(): Promise<unknown>
    stop(options: { readonly graceful: boolean }): Promise<void>
    createQueue(name: string, options: object): Promise<void>
    send(name: string, data: object): Promise<unknown>
    work<A>(
      name: string,
      options: object,
      handle: (jobs: ReadonlyArray<{ readonly id: string; readonly data: A }>) => Promise<ReadonlyArray<JobResult>>
    ): Promise<string>
  }
}

declare module "graphile-worker" {
  type AddJob = (task: string, data: unknown, options?: { readonly maxAttempts: number }) => Promise<unknown>
  interface Runner {
    readonly addJob: AddJob
    readonly stop: () => Promise<void>
  }
  export class Logger {
    constructor(make: () => () => void)
  }
  export const run: (options: {
    readonly logger: Logger
    readonly preset: { readonly worker: object }
    readonly noHandleSignals: boolean
    readonly taskList: Readonly<Record<string, (data: unknown, helpers: { readonly addJob: AddJob }) => Promise<void>>>
  }) => Promise<Runner>
}
