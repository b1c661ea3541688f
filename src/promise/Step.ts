/**
 * The builder of the facade: mutable outside, an immutable step inside.
 *
 * Every method changes the builder and returns it, so `step.headers(h)` counts without assigning it. Steps that are
 * attached to a step are read when it is executed, not when they are attached.
 *
 * @since 0.1.0
 */
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Client from "../run/ClientService.ts"
import { type Outcome, StepError } from "../step/Outcome.ts"
import type * as RetryPolicy from "../step/RetryPolicy.ts"
import { type SecretValue, told } from "../step/SecretHeader.ts"
import * as Fill from "../step/StepFill.ts"
import type * as Model from "../step/StepModel.ts"
import * as Hedge from "../step/StepHedge.ts"
import { secret, type SecretOptions } from "../step/StepSecret.ts"
import * as Time from "../step/StepTime.ts"
import * as Turn from "../step/StepTurn.ts"
import * as Core from "../step/StepVerbs.ts"
import { makeStep } from "../step/StepValue.ts"
import * as Bodies from "./Bodies.ts"
import type { EZThrottle } from "./EZThrottle.ts"
import type { Explain } from "./Errors.ts"
import { EZThrottleError, toError } from "./Errors.ts"
import type { HeadersOptions, MetadataOptions } from "./Given.ts"
import * as Given from "./Given.ts"
import type { RetryPolicyOptions, WebhookOptions } from "./JobOptions.ts"
import type { StepResult } from "./Results.ts"
import { localFailure, stepResult } from "./Results.ts"
import type { CallOptions, Reading } from "./Running.ts"
import { runAs } from "./Running.ts"

/**
 * `FRUGAL` tries here first and forwards to EZThrottle when that fails; `PERFORMANCE`, the default, hands over at once.
 *
 * @category models
 * @since 0.1.0
 */
export const StepType = { FRUGAL: "frugal", PERFORMANCE: "performance" } as const

/**
 * One of the values of `StepType`.
 *
 * @category models
 * @since 0.1.0
 */
export type StepType = (typeof StepType)[keyof typeof StepType]

/**
 * `HASH`, the default, makes the key of method, URL and body; `UNIQUE` makes a fresh one for each execution.
 *
 * @category models
 * @since 0.1.0
 */
export const IdempotentStrategy = { HASH: "hash", UNIQUE: "unique" } as const

/**
 * One of the values of `IdempotentStrategy`.
 *
 * @category models
 * @since 0.1.0
 */
export type IdempotentStrategy = (typeof IdempotentStrategy)[keyof typeof IdempotentStrategy]

/**
 * When a fallback runs. Without either, on any failure of the path before it.
 *
 * @category models
 * @since 0.1.0
 */
export type FallbackOptions = OnError | OnTimeout

// two types, because a trigger with both would not say which of them must hold
interface OnError {
  /** On one of these statuses, or when there was no answer. */
  readonly triggerOnError?: ReadonlyArray<number> | undefined
  readonly triggerOnTimeout?: undefined
}

interface OnTimeout {
  readonly triggerOnError?: undefined
  /** When there was no success after this many milliseconds. */
  readonly triggerOnTimeout?: number | undefined
}

interface Attached {
  readonly step: Builder
  readonly attach: (self: Model.Step, next: Model.Step) => Model.Step
}

class Builder {
  // what consoles and stack traces call it
  static readonly name: string = "Step"
  static readonly from = Fill.from
  static readonly answer = Fill.answer
  static readonly secret = secret
  #value: Model.Step = unset
  #attached: ReadonlyArray<Attached> = []
  #unread: Bodies.BodyOptions | undefined
  readonly #client: EZThrottle | undefined

  constructor(client?: EZThrottle | null) {
    this.#client = client ?? undefined
  }

  /** Chooses where the step is executed. */
  type(type: StepType): this {
    return this.#set((self) => choose("type", types, type)(self))
  }
  url(url: string | URL): this {
    return this.#set((self) => Core.url(self, url))
  }
  /** Sets the HTTP method, in any case. Defaults to `GET`. */
  method(method: string): this {
    return this.#set((self) => Core.method(self, method))
  }
  /** Replaces all headers. */
  headers(headers: HeadersOptions): this {
    return this.#set((self) => Core.headers(self, Given.headers(headers)))
  }
  /** Sets the body. A `Blob` or a form is read when the step is executed. */
  body(body: Bodies.BodyOptions): this {
    this.#unread = Bodies.isUnread(body) ? body : undefined
    return this.#set((self) => Core.body(self, Bodies.isUnread(body) ? undefined : body))
  }
  /** Sets data that comes back with the result. */
  metadata(metadata: MetadataOptions): this {
    return this.#set((self) => Core.metadata(self, Given.metadata(metadata)))
  }
  /** Sets who is told the result. */
  webhooks(webhooks: ReadonlyArray<WebhookOptions>): this {
    const given = Given.plain(webhooks)
    return this.#set(
      (self) => Core.webhooks(self, Array.isArray(given) ? given.map(Given.camelCased) : given),
      spelling({ webhooks })
    )
  }
  /** Sets how many voting webhooks must answer 2xx. Defaults to `1`. */
  webhookQuorum(votes: number): this {
    return this.#set((self) => Core.webhookQuorum(self, votes))
  }
  /** Sets the regions the call leaves from. */
  regions(regions: ReadonlyArray<string>): this {
    return this.#set((self) => Core.regions(self, regions))
  }
  /** Keeps to the step's regions (`strict`) or may add others (`fallback`, the default). */
  regionPolicy(policy: Model.RegionPolicy): this {
    return this.#set((self) => Core.regionPolicy(self, policy))
  }
  /** Races the regions (`race`, the default) or calls them all (`fanout`). */
  executionMode(mode: Model.ExecutionMode): this {
    return this.#set((self) => Core.executionMode(self, mode))
  }
  /** Repeats failed attempts, here and in EZThrottle. `base` and `cap`, the pauses between them, count here only. */
  retryPolicy(policy: RetryPolicyOptions & Pick<RetryPolicy.RetryPolicyOptions, "base" | "cap">): this {
    return this.#set(
      (self) => Core.retryPolicy(self, Given.camelCased(Given.plain(policy))),
      spelling({ retryPolicy: policy })
    )
  }
  /** Delays the first attempt until a moment in epoch milliseconds. */
  retryAt(epochMillis: number): this {
    return this.#set((self) => Core.retryAt(self, Given.moment(epochMillis)))
  }
  /** Delays the first attempt by this many milliseconds, counted from when the step is taken up. */
  delay(millis: number): this {
    return this.#set((self) => Time.delay(self, millis))
  }
  /** Delays the first attempt until a time of day somewhere, such as `2027-03-28T02:30` in `Europe/Berlin`. */
  at(local: string, zone: string): this {
    return this.#set((self) => Time.at(self, local, zone))
  }
  /** Lets the step fail as expired unless it has started before a moment in epoch milliseconds. */
  startBefore(epochMillis: number): this {
    return this.#set((self) => Time.startBefore(self, Given.moment(epochMillis)))
  }
  /** Says how soon the job has its turn in a dam: `high`, `normal` (the default) or `low`. */
  priority(priority: Model.Priority): this {
    return this.#set((self) => Turn.priority(self, priority))
  }
  /** Has a dam run the jobs of a key one at a time, in the order in which it took them in. */
  inOrder(key: string, options?: Turn.OrderOptions): this {
    return this.#set((self) => Turn.inOrder(self, key, options))
  }
  /** Lets only the newest of the jobs of a key run that come soon after each other; times are in milliseconds. */
  debounce(key: string, options: Turn.DebounceOptions): this {
    return this.#set((self) => Turn.debounce(self, key, options))
  }
  /** Lets a GET or HEAD end with the answer of an identical one that is in flight in the same dam. */
  coalesce(): this {
    return this.#set(Turn.coalesce)
  }
  /** Limits each attempt, here and in a dam, in milliseconds. `timeout` limits those that are made here. */
  attemptTimeout(millis: number): this {
    return this.#set((self) => Time.attemptTimeout(self, millis))
  }
  /** Lets the step fail unless it has succeeded this many milliseconds after it is taken up, all waits included. */
  totalTimeout(millis: number): this {
    return this.#set((self) => Time.totalTimeout(self, millis))
  }
  /** Tells the target in this header how many milliseconds an attempt may still take. */
  timeoutHeader(name: string): this {
    return this.#set((self) => Time.timeoutHeader(self, name))
  }
  /** Makes a further call when the first is slow; the first acceptable answer wins. A number `after` is milliseconds. */
  hedge(options?: Hedge.HedgeOptions): this {
    return this.#set((self) => Hedge.hedge(self, options))
  }
  /** Files the call under a key of the caller's. */
  idempotentKey(key: string): this {
    return this.#set((self) => Core.idempotentKey(self, key))
  }
  /** Chooses how the key is made. */
  idempotentStrategy(strategy: IdempotentStrategy): this {
    return this.#set((self) => choose("idempotentStrategy", strategies, strategy)(self))
  }
  /** Sets the statuses on which a FRUGAL step is forwarded. Defaults to 429, 500, 502, 503, 504. */
  fallbackOnError(codes: ReadonlyArray<number>): this {
    return this.#set((self) => Core.fallbackOnError(self, codes))
  }
  /** Says whether a call that changes something may be made again where it may have been carried out. */
  retryUnsafe(isAllowed: boolean): this {
    return this.#set((self) => Core.retryUnsafe(self, isAllowed))
  }
  /** Lets each call draw on a limit that a dam keeps: 1 unit of what all calls share, unless cost and key are given. */
  limit(name: string, options?: Core.LimitOptions): this {
    return this.#set((self) => Core.limit(self, name, options))
  }
  /** Takes from the answer of the step that this one is chained to. A body is JSON with places of that answer in it. */
  fill(options: Fill.FillOptions): this {
    if (options?.body !== undefined) this.#unread = undefined
    return this.#set((self) => Fill.fill(self, options))
  }
  /** Limits each local attempt, in milliseconds. Defaults to 30 seconds. */
  timeout(millis: number): this {
    return this.#set(
      (self) => Core.localTimeout(self, millis),
      ({ problem }) => `timeout: ${problem}`
    )
  }
  /** The same as `timeout`. */
  localTimeout(millis: number): this {
    return this.#set((self) => Core.localTimeout(self, millis))
  }
  /** Adds a step that runs when this one, or the fallback before it, failed. */
  fallback(step: Builder, options: FallbackOptions = {}): this {
    const { triggerOnError: onError, triggerOnTimeout: onTimeout, ...unknown } = Given.plain(options)
    for (const key of Object.keys(unknown)) {
      throw new EZThrottleError(`fallback.${key}: is not known here; expected triggerOnError, triggerOnTimeout`)
    }
    return this.#attach(
      "fallback",
      step,
      // a caller without types may give both, which is refused there
      (self, next) => Core.fallback(self, next, { onError, onTimeout } as Core.FallbackOptions),
      ({ message }) => message.replaceAll(/\bon(?=Error|Timeout)/g, "triggerOn")
    )
  }
  /** Runs another step after success. */
  onSuccess(step: Builder): this {
    return this.#attach("onSuccess", step, (self, next) => Core.onSuccess(self, next))
  }
  /** Runs another step after every path failed, or after `timeoutMillis` (see `onFailureTimeout`). */
  onFailure(step: Builder, timeoutMillis?: number): this {
    if (timeoutMillis !== undefined) this.onFailureTimeout(timeoutMillis)
    return this.#attach("onFailure", step, (self, next) => Core.onFailure(self, next))
  }
  /** Makes a failure final after this many milliseconds over all attempts and fallbacks. */
  onFailureTimeout(millis: number): this {
    return this.#set((self) => Core.onFailureTimeout(self, millis))
  }

  /**
   * Runs the step to its end.
   *
   * **Details** — resolves with the target's answer when it was executed here, also when that is a failure that is not
   * forwarded, and with the job when EZThrottle took it over. Rejects when there is neither.
   */
  execute(client?: EZThrottle | null, options?: CallOptions): Promise<StepResult> {
    const over = client ?? this.#client
    if (over === undefined) {
      return Promise.reject(new Error("Client is required. Pass client to execute() or Step(client)"))
    }
    if (!this.#isRead(alone)) return this.#read(alone).then((step) => execute(over, step, options))
    try {
      return execute(over, this.#build(alone), options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The step in words, what is attached included; headers, body and query stay out of it. */
  toString(): string {
    try {
      return this.#build(alone).toString()
    } catch (error) {
      return `an incomplete ${error}`
    }
  }
  [NodeInspectSymbol](): string {
    return this.toString()
  }

  #set(change: (self: Model.Step) => Model.Step, explain?: Explain): this {
    try {
      this.#value = change(this.#value)
      return this
    } catch (error) {
      throw toError(error, undefined, explain)
    }
  }

  #attach(
    field: string,
    step: Builder,
    attach: (self: Model.Step, next: Model.Step) => Model.Step,
    explain?: Explain
  ): this {
    if (!(step instanceof Builder)) throw new EZThrottleError(`${field}: Expected a Step`)
    // a bad trigger is refused now, whatever the step will be
    orThrow(() => attach(this.#value, unset), explain)
    this.#attached = [...this.#attached, { attach, step }]
    return this
  }

  #build(around: ReadonlyArray<Builder>): Model.Step {
    this.#refuseBroken(around)
    if (this.#attached.length === 0) return this.#value
    return this.#attached.reduce((self, { attach, step }) => attach(self, step.#build([...around, this])), this.#value)
  }

  /** The same with the bodies that take time. What is changed while they are read is not seen. */
  async #read(around: ReadonlyArray<Builder>): Promise<Model.Step> {
    this.#refuseBroken(around)
    const [attached, unread, value] = [this.#attached, this.#unread, this.#value]
    const [own, ...children] = await Promise.all([
      unread === undefined ? value : Bodies.read(unread).then((read) => carrying(value, read)),
      ...attached.map(({ step }) => step.#read([...around, this]))
    ])
    return attached.reduce((self, { attach }, index) => attach(self, children[index] ?? self), own)
  }

  #isRead(around: ReadonlyArray<Builder>): boolean {
    if (this.#attached.length === 0) return this.#unread === undefined || around.includes(this)
    return (
      around.includes(this) ||
      (this.#unread === undefined && this.#attached.every(({ step }) => step.#isRead([...around, this])))
    )
  }

  #refuseBroken(around: ReadonlyArray<Builder>): void {
    if (around.includes(this)) throw new EZThrottleError("A step cannot be a part of itself")
    if (this.#value.request.url === "") throw new Error("URL is required")
  }
}

/**
 * A call that survives, built by methods that change it.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = Builder

/**
 * What `Step` is: a class that can be called without `new` too.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepConstructor {
  new (client?: EZThrottle | null): Step
  (client?: EZThrottle | null): Step
  readonly prototype: Step
  /** Names a place in the answer of the step before: `/response/body/id`, `/response/headers/etag`, `/response/status`. */
  readonly from: (pointer: string) => Fill.From
  /** The whole body of that answer, byte for byte. */
  readonly answer: Fill.From
  /** Names a secret as the value of a header: it is looked up when the call is sent, and goes to its own hosts only. */
  readonly secret: (name: string, options?: SecretOptions) => SecretValue
}

/**
 * Makes a step, with `new` or without.
 *
 * @category constructors
 * @since 0.1.0
 */
export const Step: StepConstructor = /* @__PURE__ */ new Proxy(Builder, {
  apply: (target, _, [client]: [client?: EZThrottle]) => new target(client)
}) as StepConstructor // the type of a proxy does not tell what its traps add

const alone: ReadonlyArray<Builder> = []

const execute = ({ runtime }: EZThrottle, step: Model.Step, options: CallOptions | undefined): Promise<StepResult> =>
  runAs(runtime, Client.execute(step), asResult, options)

const asResult: Reading<Outcome, StepResult> = {
  read: stepResult,
  // an answer that is not forwarded is a result of its own
  excuse: (error) => {
    if (!(error instanceof StepError)) return undefined
    const { reason } = error
    return reason._tag === "Rejected" || reason._tag === "QuotaUsedUp" ? localFailure(reason.status) : undefined
  }
}

const carrying = (self: Model.Step, { body, contentType }: Bodies.Read): Model.Step =>
  Core.body(Core.headers(self, Bodies.withType(told(self.request.headers), contentType)), body)

const spelling =
  (said: object): Explain =>
  ({ field, problem }) =>
    `${Given.spelt(field, said)}: ${problem}`

const orThrow = <A>(f: () => A, explain: Explain | undefined): A => {
  try {
    return f()
  } catch (error) {
    throw toError(error, undefined, explain)
  }
}

type Change = (self: Model.Step) => Model.Step

const choose = <Name extends string>(field: string, verbs: { readonly [key in Name]: Change }, name: Name): Change => {
  if (Object.hasOwn(verbs, name)) return verbs[name]
  throw new EZThrottleError(`${field}: Expected ${Object.keys(verbs).join(" or ")}`)
}

const types: { readonly [type in StepType]: Change } = {
  frugal: (self) => Core.frugal(self),
  performance: (self) => Core.performance(self)
}

const strategies: { readonly [strategy in IdempotentStrategy]: Change } = {
  hash: (self) => Core.idempotentStrategy(self, "HASH"),
  unique: (self) => Core.idempotentStrategy(self, "UNIQUE")
}

// no verb leaves a step without its URL, so this is how one looks that has none yet
const unset = makeStep({ request: { method: "GET", url: "", headers: {}, body: undefined } })
