/** `ezthrottle credentials`: the arguments and flags, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Flags from "./Flags.ts"
import * as Globals from "../output/Globals.ts"
import * as Credentials from "./Credentials.ts"
import { talking } from "./Running.ts"

const name = Argument.String("name").pipe(Argument.withDescription("What headers of jobs call it"))

const list = Command.make("list", {}, () => talking(Credentials.list)).pipe(
  Command.withDescription(
    "Lists the credentials of the caller: which there are, where they may go, when they were set."
  ),
  Command.withShortDescription("List credentials and where they may go"),
  Command.withExamples([{ command: "ezthrottle credentials list", description: "All of them" }])
)

const text = (flag: string, metavar: string, description: string) =>
  Flags.text(flag, metavar, description).pipe(Flag.optional)

const put = Command.make(
  "put",
  {
    name,
    secret: Argument.String("secret").pipe(
      Argument.withMetavar("FILE|env:NAME|-"),
      Argument.withDescription(
        "Where the secret stands: a file, a variable, or standard input; never the secret itself"
      )
    ),
    host: Flags.text("host", "HOST", "Where it may go, over https unless http:// is written; may be given again").pipe(
      Flag.atLeast(1)
    ),
    tokenUrl: text("token-url", "URL", "Fetch tokens there with the secret, by OAuth 2.0, and send those"),
    clientId: text("client-id", "ID", "Whose secret it is, with --token-url"),
    scope: text("scope", "SCOPE", "What tokens are asked for, with --token-url"),
    audience: text("audience", "AUDIENCE", "For whom tokens are asked for, with --token-url")
  },
  ({ audience, clientId, host, name, scope, secret, tokenUrl }) =>
    talking(
      Credentials.put(name, secret, {
        hosts: host,
        tokenUrl: Option.getOrUndefined(tokenUrl),
        clientId: Option.getOrUndefined(clientId),
        scope: Option.getOrUndefined(scope),
        audience: Option.getOrUndefined(audience)
      })
    )
).pipe(
  Command.withDescription(
    "Sets a credential that headers of jobs may name, or all of it anew. It is kept sealed, sent to its hosts alone, and " +
      "never shown. Jobs that wait are sent with what is set when they are called."
  ),
  Command.withShortDescription("Set a credential, or set it anew"),
  Command.withExamples([
    { command: "ezthrottle credentials put stripe stripe.key --host api.stripe.com", description: "From a file" },
    {
      command:
        "ezthrottle credentials put crm env:CRM_SECRET --host crm.example.com --token-url https://id.example.com/token --client-id us",
      description: "Tokens by OAuth 2.0"
    }
  ])
)

const remove = Command.make("delete", { name }, (input) => talking(Credentials.remove(input.name))).pipe(
  Command.withDescription("Deletes a credential. Jobs that name it fail when they are called."),
  Command.withShortDescription("Delete a credential"),
  Command.withExamples([{ command: "ezthrottle credentials delete stripe", description: "Nobody sends it any more" }])
)

export const command = Command.make("credentials").pipe(
  Command.withDescription("Manages what headers of jobs name as secrets. Secrets go in, and never come out."),
  Command.withShortDescription("List, put and delete credentials that jobs name"),
  Command.withExamples([{ command: "ezthrottle credentials list", description: "Which there are" }]),
  Command.withSubcommands([list, put, remove]),
  Command.withGlobalFlags(Globals.service)
)
