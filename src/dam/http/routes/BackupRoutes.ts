/** What the API does about backups: one at a time, where the operator said, under a name that nobody chooses. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { refused, type Refused } from "../../intake/Refusal.ts"
import { BackupFailed, type Copied } from "../../sqlite/Backup.ts"
import { type Answer, json } from "../door/Answer.ts"

/** Where backups go, and what makes them. */
export interface BackupOptions {
  readonly folder: string
  readonly copy: (file: string) => Effect.Effect<Copied, BackupFailed>
}

/** Makes the handler. */
export const make = (options: BackupOptions | undefined): Effect.Effect<Answer, Refused> => {
  if (options === undefined) {
    return Effect.fail(refused(409, "no_backup_dir", "start the dam with --backup-dir to say where backups go"))
  }
  let isUnderWay = false
  const { copy, folder } = options
  const copied = Effect.gen(function* () {
    const name = `ezthrottle-${DateTime.formatIso(yield* DateTime.now).replaceAll(/[:.]/g, "-")}.db`
    const before = yield* Clock.currentTimeMillis
    yield* Effect.try({
      try: () => mkdirSync(folder, { recursive: true, mode: 0o700 }),
      catch: (error) => new BackupFailed({ problem: String(error) })
    })
    const { bytes, copiedAt } = yield* copy(join(folder, name))
    const took = (yield* Clock.currentTimeMillis) - before
    return json(201, { file: name, bytes, copied_at: copiedAt, took_ms: took })
  }).pipe(
    // where the folder is, and what is wrong with it, is the operator's business
    Effect.tapError(({ message }) => Effect.logError(message)),
    Effect.mapError(() => refused(503, "backup_failed", "no copy was made; the log of the dam says why"))
  )
  return Effect.suspend(() => {
    if (isUnderWay) return Effect.fail(refused(409, "backup_running", "a backup is under way; wait for it"))
    isUnderWay = true
    return Effect.ensuring(
      copied,
      Effect.sync(() => void (isUnderWay = false))
    )
  })
}
