/** `ezthrottle backup`: the flags, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Flags from "./Flags.ts"
import { stoppable } from "./Running.ts"

// it needs the database of the dam
const loadBackup = Effect.promise(() => import("./Backup.ts"))

export const command = Command.make(
  "backup",
  {
    file: Argument.String("file").pipe(
      Argument.withMetavar("FILE"),
      Argument.withDescription("Where the copy goes; nothing may be there")
    ),
    db: Flags.text("db", "FILE", "The database of a dam on this machine (./ezthrottle.db)").pipe(
      Flag.withDefault("./ezthrottle.db")
    )
  },
  ({ db, file }) => stoppable(Effect.flatMap(loadBackup, ({ run }) => run(db, file)))
).pipe(
  Command.withDescription(
    "Copies the database of a dam on this machine, consistently and while the dam works on. A dam that is started on a " +
      "copy sends nothing until it is told to go on with it: dam --resume-copy."
  ),
  Command.withShortDescription("Copy a dam's database while it runs"),
  Command.withExamples([
    { command: "ezthrottle backup /backups/today.db", description: "Of ./ezthrottle.db" },
    {
      command: 'ezthrottle backup --db /data/dam.db "/backups/dam-$(date +%F-%H%M).db"',
      description: "As cron would do it"
    }
  ])
)
