/** `ezthrottle orders`: the arguments, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Globals from "../output/Globals.ts"
import * as Orders from "./Orders.ts"
import { talking } from "./Running.ts"

const key = Argument.String("key").pipe(Argument.withDescription("The key of the order"))

const list = Command.make("list", {}, () => talking(Orders.list)).pipe(
  Command.withDescription(
    "Lists the orders of the caller that a failed job has stopped, with how many jobs wait in each."
  ),
  Command.withShortDescription("List orders that a failure has stopped"),
  Command.withExamples([{ command: "ezthrottle orders list", description: "All of them" }])
)

const show = Command.make("show", { key }, (input) => talking(Orders.show(input.key))).pipe(
  Command.withDescription("Shows an order: how many jobs stand in it, which one is in front, and what has stopped it."),
  Command.withShortDescription("Show an order and the job in front"),
  Command.withExamples([{ command: "ezthrottle orders show customer-7", description: "One of them" }])
)

const resume = Command.make("resume", { key }, (input) => talking(Orders.resume(input.key))).pipe(
  Command.withDescription(
    "Lets an order go on that a failed job has stopped. Jobs that shall not run are cancelled before: " +
      "`ezthrottle jobs cancel --order KEY`."
  ),
  Command.withShortDescription("Let an order go on that a failure has stopped"),
  Command.withExamples([{ command: "ezthrottle orders resume customer-7", description: "With the next job" }])
)

export const command = Command.make("orders").pipe(
  Command.withDescription("Orders of a dam: the jobs of a key run one at a time, first in, first out."),
  Command.withShortDescription("List, show and resume orders of jobs"),
  Command.withExamples([{ command: "ezthrottle orders list", description: "Those that a failure has stopped" }]),
  Command.withSubcommands([list, show, resume]),
  Command.withGlobalFlags(Globals.service)
)
