/** What `ezthrottle backup` does. */
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Backup from "../../dam/sqlite/Backup.ts"
import * as Output from "../output/Output.ts"
import { problem } from "../output/Problem.ts"
import * as Progress from "../output/Progress.ts"

const mebibyte = 1024 * 1024

/** Copies a database, and shows how far it is. */
export const run = Effect.fnUntraced(function* (db: string, file: string) {
  const path = yield* Path.Path
  const progress = yield* Progress.make
  const services = yield* Effect.context<never>()
  const show = ({ done, total }: Backup.Progress) =>
    Effect.runSyncWith(services)(
      progress.show({
        done: Math.floor(done / mebibyte),
        total: Math.ceil(total / mebibyte),
        before: 0,
        failed: 0,
        unit: "MiB"
      })
    )
  const { bytes, copiedAt } = yield* Backup.copy(path.resolve(db), path.resolve(file), show).pipe(
    Effect.mapError(({ message }) => problem("failed", message, { code: "backup_failed" })),
    Effect.ensuring(progress.clear)
  )
  yield* Output.print(
    { file: path.resolve(file), bytes, copied_at: copiedAt },
    () => `${file}: ${Math.ceil(bytes / mebibyte)} MiB, as of ${Output.time(copiedAt)}`
  )
})
