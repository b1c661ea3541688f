/**
 * Finds the lane of a call: its host's, or by a rule one of several that its host has.
 *
 * A rule names parts of a call, and calls that agree in all of them share a lane. What it is made of stands in the lane's
 * name as far as it is short and no secret: a credential is told by a hash that needs a key of the dam's own. Where a part
 * is what answers say, a kind of call is known by it from its first answer on.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import * as LaneRule from "../../presets/LaneRule.ts"
import { type LaneChoice, LaneChoice as LaneChoiceForm, type LanePart } from "../../presets/Preset.ts"
import { credentialHeaders, hostIn, isReceiverLane, keyedLane, keyIn, laneOf as hostOf } from "../job/LaneName.ts"
import type { LanePort } from "../store/LaneRecords.ts"
import type { SecretPort } from "../store/SecretRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as LaneKey from "./LaneKey.ts"

/**
 * A call, as far as its lane depends on it.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneCall {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string | undefined
  /** That of its job. */
  readonly metadata?: { readonly [name: string]: unknown } | undefined
}

/**
 * How calls to a host find their lanes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rule {
  readonly parts: ReadonlyArray<LanePart>
  /** Headers that carry the credential, the first that is there. */
  readonly credential: ReadonlyArray<string>
  /** Who says so: a preset by its name, or the configuration. */
  readonly by: string
}

/**
 * Why a lane is what it is, for people.
 *
 * @category models
 * @since 0.1.0
 */
export interface RuleShown {
  /** Its parts: `credential/model`, or `host`. */
  readonly rule: string
  readonly by: string
}

/**
 * Names of lanes.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneNames {
  /** The lane of a call. */
  readonly laneOf: (call: LaneCall) => string
  /** The lane that an answer speaks of, which is that of its call unless it names another; later calls like it find it too. */
  readonly heard: (call: LaneCall, headers: Readonly<Record<string, string>>) => string
  /** Whether the calls to a lane's host are told apart. */
  readonly isRuled: (lane: string) => boolean
  /** The rule of a lane's host. */
  readonly ruleOf: (lane: string) => RuleShown
  /** How the keys of a credential begin among those of a lane's host; `undefined` where its rule does not name credentials. */
  readonly ownerOf: (lane: string) => string | undefined
  /** Sets by what an operator wants the calls to a host told apart, over what is configured or known; nothing takes it back. */
  readonly setRule: (host: string, choice: LaneChoice | undefined) => Effect.Effect<void, StoreError>
  /** Forgets the keys of lanes that are not used any more. */
  readonly keep: (isUsed: (lane: string) => boolean) => void
}

/**
 * What names are made by.
 *
 * @category models
 * @since 0.1.0
 */
export interface NamesOptions {
  /** The rule of a host by its lane's name; `undefined` where the host has one lane. */
  readonly ruleOf: (host: string) => Rule | undefined
  /** Headers that carry the credential of a host, whoever sets its rule. Defaults to those of an account. */
  readonly credentialOf?: ((host: string) => ReadonlyArray<string> | undefined) | undefined
  /** Keys that a host may have; further ones share a lane. Defaults to 1,000. */
  readonly keysPerHost?: number | undefined
  /** Headers that are credentials beside those that always are. Defaults to none. */
  readonly credentials?: ReadonlyArray<string> | undefined
}

/**
 * Names every lane after its host.
 *
 * @category constants
 * @since 0.1.0
 */
export const byHost: LaneNames = {
  laneOf: ({ url }) => hostOf(url),
  heard: ({ url }) => hostOf(url),
  isRuled: () => false,
  ruleOf: () => hostRule,
  ownerOf: () => undefined,
  setRule: () => Effect.void,
  keep: () => {}
}

const hostRule: RuleShown = { rule: "host", by: "default" }

/** The setting with the key of the hashes. */
const setting = "lane_key"

const keysPerHost = 1000

/** The setting with what operators have set. */
const rulesSetting = "lane_rules"

const Rules = Schema.fromJsonString(Schema.Record(Schema.String, LaneChoiceForm))
const decodeRules = Schema.decodeUnknownOption(Rules)
const encodeRules = Schema.encodeSync(Rules)

/** A file that is full takes no key: this one then lasts until the next start. */
const newSecret = (store: Pick<SecretPort, "putSecrets">): Effect.Effect<string> => {
  const made = randomBytes(32).toString("base64")
  const warned = ({ message }: StoreError) =>
    Effect.logWarning(`the key of the names of lanes cannot be stored, and they change with the next start: ${message}`)
  return store.putSecrets([], [[setting, made]]).pipe(Effect.catch(warned), Effect.as(made))
}

/** Calls that were answered with another part than they show themselves; beyond, the oldest are forgotten. */
const mostHeard = 10_000

/**
 * Makes names by rules, with the key that the store has, or gets now.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: Pick<SecretPort, "putSecrets" | "setting"> & Pick<LanePort, "laneCounts" | "paces">,
  options: NamesOptions
): Effect.fn.Return<LaneNames, StoreError> {
  const secret = (yield* store.setting(setting)) ?? (yield* newSecret(store))
  const stored = yield* store.setting(rulesSetting)
  const set = new Map(Object.entries(stored === undefined ? {} : Option.getOrElse(decodeRules(stored), () => ({}))))
  const self: State = {
    options,
    secret,
    set,
    keys: new Map(),
    heard: new Map(),
    body: { is: undefined, values: new Map() }
  }
  for (const [lane] of yield* store.laneCounts) remember(self, lane)
  for (const { lane } of yield* store.paces) remember(self, lane)
  return {
    laneOf: (call) => laneOf(self, call),
    heard: (call, headers) => {
      note(self, call, headers)
      return laneOf(self, call)
    },
    isRuled: (lane) => ruleFor(self, hostIn(lane)) !== undefined,
    ruleOf: (lane) => {
      const rule = ruleFor(self, hostIn(lane))
      if (self.set.get(hostIn(lane)) === "host") return { ...hostRule, by: "operator" }
      return rule === undefined ? hostRule : { rule: LaneRule.nameOf({ lane: rule.parts }), by: rule.by }
    },
    setRule: Effect.fnUntraced(function* (host, choice) {
      const next = new Map(self.set)
      if (choice === undefined) next.delete(host)
      else next.set(host, choice)
      yield* store.putSecrets([], [[rulesSetting, encodeRules(Object.fromEntries(next))]])
      self.set = next
    }),
    ownerOf: (lane) => {
      const isOwned = ruleFor(self, hostIn(lane))?.parts.includes("credential") === true
      // the host's own lane is that of calls without one
      return isOwned ? LaneKey.firstOf(keyIn(lane) === "" ? LaneRule.none : keyIn(lane)) : undefined
    },
    keep: (isUsed) => {
      for (const [host, keys] of self.keys) {
        for (const key of keys) if (!isUsed(keyedLane(host, key))) keys.delete(key)
        if (keys.size === 0) self.keys.delete(host)
      }
    }
  }
})

interface State {
  readonly options: NamesOptions
  readonly secret: string
  /** What operators have set, by host. */
  set: ReadonlyMap<string, LaneChoice>
  /** The keys of each host that are in use. */
  readonly keys: Map<string, Set<string>>
  /** What answers have said of calls that look alike. */
  readonly heard: Map<string, string>
  /** What stands in the body that was looked at last: nearly always it is looked at again. */
  body: { readonly is: LaneCall["body"]; readonly values: Map<string, string> }
}

const remember = ({ keys }: State, lane: string): void => {
  const key = keyIn(lane)
  if (key === "" || key === others) return
  const known = keys.get(hostIn(lane)) ?? new Set<string>()
  keys.set(hostIn(lane), known.add(key))
}

/** The key of all that are too many. */
const others = "others"

/** A rule that names nothing but the host is none. */
const ruleFor = ({ options, set }: State, host: string): Rule | undefined => {
  if (isReceiverLane(host)) return undefined
  const choice = set.get(host)
  const credential = options.credentialOf?.(host) ?? credentialHeaders
  const rule =
    choice === undefined
      ? options.ruleOf(host)
      : { parts: choice === "host" ? ["host" as const] : choice, credential, by: "operator" }
  return rule?.parts.some((part) => part !== "host") === true ? rule : undefined
}

const laneOf = (self: State, call: LaneCall): string => {
  const host = hostOf(call.url)
  const rule = ruleFor(self, host)
  if (rule === undefined) return host
  const key = LaneKey.join(
    self.secret,
    tellingOf(rule).map((part) => pieceOf(self, host, rule, part, call))
  )
  const known = self.keys.get(host)
  if (key === "" || known?.has(key) === true) return keyedLane(host, key)
  if ((known?.size ?? 0) >= (self.options.keysPerHost ?? keysPerHost)) return keyedLane(host, others)
  remember(self, keyedLane(host, key))
  return keyedLane(host, key)
}

/** The credential comes first, so that the lanes of one stand together. */
const tellingOf = ({ parts }: Rule): ReadonlyArray<LanePart> => [
  ...parts.filter((part) => part === "credential"),
  ...parts.filter((part) => part !== "credential" && part !== "host")
]

/** What a part is for a call, as it stands in a name; `undefined` where the call has none. */
const pieceOf = (self: State, host: string, rule: Rule, part: LanePart, call: LaneCall): string | undefined => {
  const heard = typeof part === "object" && "answer" in part ? self.heard.get(likenessOf(host, part, call)) : undefined
  return heard ?? ownPieceOf(self, rule, part, call)
}

const ownPieceOf = (self: State, rule: Rule, part: LanePart, call: LaneCall): string | undefined => {
  const value = valueOf(self, rule, part, call)
  if (value === LaneRule.none) return undefined
  const isSecret =
    part === "credential" || (typeof part === "object" && "header" in part && isCredential(self, part.header))
  if (isSecret) return LaneKey.hashed(self.secret, value)
  return part === "path" ? LaneKey.route(value) : LaneKey.readable(self.secret, value)
}

const isCredential = ({ options }: State, header: string): boolean => LaneKey.isCredential(header, options.credentials)

const valueOf = (self: State, { credential }: Rule, part: LanePart, call: LaneCall): string => {
  const read = () => LaneRule.valueOf(part, credential, call, noHeaders) ?? LaneRule.none
  if (typeof part === "string" || !("body" in part) || call.body === undefined) return read()
  if (self.body.is !== call.body) self.body = { is: call.body, values: new Map() }
  const found = self.body.values.get(part.body) ?? read()
  self.body.values.set(part.body, found)
  return found
}

const noHeaders = {}

/** Calls that look alike: what an answer says of one it says of all. */
const likenessOf = (host: string, { answer }: { readonly answer: string }, { method, url }: LaneCall): string =>
  `${host} ${answer} ${method} ${LaneKey.route(new URL(url).pathname)}`

const note = (self: State, call: LaneCall, headers: Readonly<Record<string, string>>): void => {
  const host = hostOf(call.url)
  const rule = ruleFor(self, host)
  for (const part of rule?.parts ?? []) {
    if (rule === undefined || typeof part === "string" || !("answer" in part)) continue
    const said = LaneRule.valueOf(part, undefined, {}, headers)
    if (said === undefined || said === LaneRule.none || !(part.answer in headers)) continue
    const piece = LaneKey.readable(self.secret, said)
    const like = likenessOf(host, part, call)
    self.heard.delete(like)
    // most show it themselves
    if (piece === ownPieceOf(self, rule, part, call)) continue
    self.heard.set(like, piece)
    if (self.heard.size > mostHeard) {
      const [oldest] = self.heard.keys()
      if (oldest !== undefined) self.heard.delete(oldest)
    }
  }
}
