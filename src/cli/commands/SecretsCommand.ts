/** `ezthrottle secrets`: the flags, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Flags from "./Flags.ts"
import * as Globals from "../output/Globals.ts"
import { talking } from "./Running.ts"
import * as Secrets from "./Secrets.ts"

const source = "FILE|env:NAME|-"

const secret = Argument.String("secret").pipe(
  Argument.withMetavar(source),
  Argument.withDescription("Where the secret stands: a file, a variable, or standard input; never the secret itself")
)

const other = (name: string, description: string) => Flags.text(name, source, description).pipe(Flag.optional)

const create = Command.make(
  "create",
  { secret, secondary: other("secondary", "A second secret that receivers accept") },
  (input) => talking(Secrets.create(input.secret, Option.getOrUndefined(input.secondary)))
).pipe(
  Command.withDescription("Sets what webhooks are signed with, in place of what was set."),
  Command.withShortDescription("Set what webhooks are signed with"),
  Command.withExamples([
    { command: "openssl rand -hex 32 > secret.txt && ezthrottle secrets create secret.txt", description: "A new one" },
    { command: "ezthrottle secrets create env:WEBHOOK_SECRET", description: "From the environment" }
  ])
)

const get = Command.make("get", {}, () => talking(Secrets.get)).pipe(
  Command.withDescription("Shows which secrets are set, masked."),
  Command.withShortDescription("Show which secrets are set, masked"),
  Command.withExamples([{ command: "ezthrottle secrets get", description: "The ends of each" }])
)

const rotate = Command.make(
  "rotate",
  { secret, old: other("old", "The secret so far; a dam knows it, the cloud does not") },
  (input) => talking(Secrets.rotate(input.secret, Option.getOrUndefined(input.old)))
).pipe(
  Command.withDescription(
    "Makes a new secret the first one and keeps the old one as the second, so that no receiver breaks."
  ),
  Command.withShortDescription("Change to a new secret without a break"),
  Command.withExamples([{ command: "ezthrottle secrets rotate new-secret.txt", description: "Of a dam" }])
)

const remove = Command.make("delete", {}, () => talking(Secrets.remove)).pipe(
  Command.withDescription("Deletes the secrets: webhooks are not signed any more."),
  Command.withShortDescription("Sign no webhooks any more"),
  Command.withExamples([{ command: "ezthrottle secrets delete", description: "Both of them" }])
)

export const command = Command.make("secrets").pipe(
  Command.withDescription("Manages what webhooks are signed with. Secrets are never printed."),
  Command.withShortDescription("Create, get, rotate and delete webhook secrets"),
  Command.withExamples([{ command: "ezthrottle secrets get", description: "Which are set, masked" }]),
  Command.withSubcommands([create, get, rotate, remove]),
  Command.withGlobalFlags(Globals.service)
)
