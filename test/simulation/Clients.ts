/** Clients: each wants one job, submits it until it is acknowledged, and some cancel theirs or submit it again. */
import * as Effect from "effect/Effect"
import * as Step from "../../src/step/Step.ts"
import type { ScheduleDefinition } from "../../src/dam/store/ScheduleRecords.ts"
import { below, between, chanceOf, oneOf } from "./Chance.ts"
import type { Dam } from "./Dam.ts"
import type { Ledger, Trace, Wanted } from "./Ledger.ts"
import { epoch, type Loop } from "./Loop.ts"
import { receiverOf } from "./Network.ts"

/** What clients do, as shares of one. */
export interface Habits {
  /** Milliseconds within which jobs come. */
  readonly within: number
  readonly receivers: number
  readonly cancels: number
}

const hosts = [
  "fast.example",
  "fast.example",
  "flaky.example",
  "flaky.example",
  "limit.example",
  "narrow.example",
  "refusing.example",
  "dead.example",
  "own",
  "own"
] as const

/** The job of a number. */
export const wantedBy = (seed: number, number: number, { cancels, receivers, within }: Habits): Wanted => {
  const chance = chanceOf(seed, `job ${number}`)
  const url = (host: string, of = "") => `https://${host}/?job=${number}${of}`
  const at = between(chance, 0, within)
  const hooks = [...new Set(Array.from({ length: below(chance, 4) }, () => receiverOf(below(chance, receivers))))]
  const host = oneOf(chance, hosts)
  const target = url(host === "own" ? ownHost(number) : host)
  const base = chance() < 0.5 ? Step.post(target, { body: `order ${number}` }) : Step.get(target)
  const parts: ReadonlyArray<(step: Step.Step) => Step.Step> = [
    Step.metadata({ number: String(number) }),
    chance() < 0.5 ? Step.retryPolicy({ maxRetries: below(chance, 5) }) : same,
    hooks.length > 0 ? Step.webhooks(hooks.map((hook) => ({ url: hook }))) : same,
    hooks.length > 1 && chance() < 0.3 ? Step.webhookQuorum(1) : same,
    chance() < 0.15 ? Step.retryAt(epoch + Math.round(at + between(chance, 1000, 60_000))) : same,
    chance() < 0.15 ? Step.fallback(Step.get(url("fast.example", ".fallback")), { onError: [500, 503] }) : same,
    chance() < 0.2 ? Step.onSuccess(Step.post(url("fast.example", ".then"), { body: "went well" })) : same,
    chance() < 0.2 ? Step.onFailure(Step.post(url("flaky.example", ".else"), { body: "went wrong" })) : same
  ]
  return {
    number,
    at,
    key: `key-${number}`,
    step: parts.reduce((step, part) => part(step), base),
    cancelAfter: chance() < cancels ? between(chance, 0, 3000) : undefined,
    again: chance() < 0.1 ? between(chance, 10, 5000) : undefined
  }
}

/** A target that nobody else calls: a job that was forgotten there is not found by chance. */
const ownHost = (number: number): string => `only-${number}.example`

const same = (step: Step.Step): Step.Step => step

interface Parts {
  readonly seed: number
  readonly loop: Loop
  readonly dam: Dam
  readonly ledger: Ledger
  readonly trace: Trace
}

/** Has a client want its job, from its moment on. */
export const want = (parts: Parts, wanted: Wanted): void => {
  parts.ledger.wanted.push(wanted)
  parts.loop.at(wanted.at, () => submit(parts, wanted, 0))
}

/** Tries to submit; whoever is not answered, or refused, tries again. */
const submit = (parts: Parts, wanted: Wanted, tries: number): void => {
  const { dam, ledger, loop, seed, trace } = parts
  const { number, step, key } = wanted
  const chance = chanceOf(seed, `job ${number} try ${tries}`)
  let isSettled = false
  const again = () => {
    if (isSettled) return
    isSettled = true
    loop.in(between(chance, 200, 2000), () => submit(parts, wanted, tries + 1))
  }
  const { alive, fork, up } = dam.current()
  if (!alive || up === undefined) return again()
  trace.note(`submits ${number}`)
  loop.in(10_000, again)
  const submission = up.service.transport.submit({ step, key, retryAt: undefined })
  fork(
    Effect.match(submission, {
      onFailure: (error) => {
        trace.note(`refused ${number}: ${error.message}`)
        again()
      },
      onSuccess: ({ jobId }) => {
        if (isSettled) return
        isSettled = true
        ledger.acknowledged.push({ wanted, id: jobId, at: loop.now })
        trace.note(`acknowledged ${number} ${jobId}`)
        if (tries > 100) return
        if (wanted.again !== undefined) loop.in(wanted.again, () => submit(parts, { ...wanted, again: undefined }, 101))
        if (wanted.cancelAfter !== undefined) loop.in(wanted.cancelAfter, () => cancel(parts, jobId))
      }
    })
  )
}

const cancel = ({ dam, ledger, loop, trace }: Parts, id: string): void => {
  const { alive, fork, up } = dam.current()
  if (!alive || up === undefined) return
  ledger.cancels.set(id, undefined)
  fork(
    Effect.match(up.service.cancel(id), {
      onFailure: (error) => trace.note(`not cancelled ${id}: ${error.message}`),
      onSuccess: () => {
        ledger.cancels.set(id, loop.now)
        trace.note(`cancelled ${id}`)
      }
    })
  )
}

/** Has somebody want a call again and again; whoever is not answered sets the schedule anew. */
export const schedule = (parts: Parts, number: number, span: number): void => {
  const { dam, ledger, loop, seed, trace } = parts
  const chance = chanceOf(seed, `schedule ${number}`)
  const name = `schedule ${number}`
  const every = 1000 + 500 * below(chance, 6)
  const definition: ScheduleDefinition = {
    timing: { every, end: epoch + span },
    rules: { overlap: "parallel", catchUp: "all", catchUpMost: 10_000 },
    step: Step.post(`https://timed-${number}.example/`, { body: "again" })
  }
  const set = () => {
    const { alive, fork, up } = dam.current()
    let isSettled = false
    const again = () => {
      if (!isSettled) loop.in(between(chance, 200, 2000), set)
      isSettled = true
    }
    if (!alive || up === undefined) return again()
    loop.in(10_000, again)
    fork(
      Effect.match(up.engine.schedules.set("local", name, definition), {
        onFailure: again,
        onSuccess: () => {
          if (isSettled) return
          isSettled = true
          trace.note(`set ${name}`)
          ledger.schedules.push({ name, every, from: loop.now, end: span })
        }
      })
    )
  }
  loop.at(between(chance, 0, span * 0.3), set)
}
