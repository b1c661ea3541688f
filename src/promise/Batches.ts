/** What the facade does with a batch that was handed over. */
import * as Effect from "effect/Effect"
import * as Client from "../run/ClientService.ts"
import type { Batch, ManyJobs } from "../run/Service.ts"
import { toError } from "./Errors.ts"
import { batchView, type BatchView } from "./Results.ts"
import { type CallOptions, run, type Runtime } from "./Running.ts"

/** Asks something of a batch, and shows what has become of it. */
export const ofBatch = <E>(
  runtime: Runtime,
  call: (many: ManyJobs) => Effect.Effect<Batch, E>,
  options: CallOptions | undefined
): Promise<BatchView> =>
  run(
    runtime,
    Effect.mapBoth(
      Effect.flatMap(Client.EZThrottle, ({ many }) => call(many)),
      { onFailure: (error) => toError(error), onSuccess: batchView }
    ),
    options
  )
