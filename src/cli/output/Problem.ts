/** What went wrong, what to do next, and the code the process ends with. */
import * as Schema from "effect/Schema"

/** What the process ends with; documented in docs/reference/cli.md. */
export const exits = {
  done: 0,
  failed: 1,
  usage: 2,
  endedBadly: 3,
  unreachable: 4,
  denied: 5,
  notFound: 6,
  partly: 7,
  timedOut: 8,
  interrupted: 130
} as const

export class Problem extends Schema.TaggedError<Problem>()("Problem", {
  exit: Schema.Int,
  /** One line, without a full stop. */
  problem: Schema.String,
  /** The next step, one line; `undefined` when there is nothing to do. */
  next: Schema.UndefinedOr(Schema.String),
  /** A stable name for programs. */
  code: Schema.String,
  /** What `--verbose` adds. */
  details: Schema.Array(Schema.String),
  /** Milliseconds after which the same call may work; `undefined` when repeating it changes nothing. */
  passesAfter: Schema.UndefinedOr(Schema.Number)
}) {
  override get message() {
    return this.next === undefined ? this.problem : `${this.problem}; ${this.next}`
  }
}

interface More {
  readonly next?: string | undefined
  readonly code?: string | undefined
  readonly details?: ReadonlyArray<string> | undefined
  readonly passesAfter?: number | undefined
}

export const problem = (exit: keyof typeof exits, text: string, more: More = {}): Problem =>
  new Problem({
    exit: exits[exit],
    problem: text,
    next: more.next,
    code: more.code ?? snake(exit),
    details: more.details ?? [],
    passesAfter: more.passesAfter
  })

/** A name of ours as programs read it: `jobRefused` and `JobRefused` are `job_refused`. */
export const snake = (name: string): string => name.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()
