/**
 * A store in memory: enough to answer a sender's repetitions, forgotten with the process.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { EventStore } from "./EventStore.ts"

/**
 * How much is remembered.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemoryOptions {
  /** How many events; past it the oldest goes, the handled ones first. Defaults to 10,000. */
  readonly capacity?: number | undefined
}

/**
 * Makes a store in memory.
 *
 * **Gotchas** — several processes behind one address each have their own: a repetition that reaches another is handled
 * again. Use a store in SQL there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ capacity = 10_000 }: MemoryOptions = {}): EventStore => {
  // a Map remembers the order in which its keys came
  const events = new Map<string, Entry>()
  const texts = new Map<string, { readonly text: string; readonly keepUntil: number }>()

  const forget = (now: number) => {
    for (const [id, { keepUntil }] of events) {
      if (keepUntil > now) break
      events.delete(id)
    }
    for (const [name, { keepUntil }] of texts) if (keepUntil <= now) texts.delete(name)
    if (events.size < capacity) return
    let oldest = events.keys().next().value
    for (const [id, { isHandled }] of events) {
      if (!isHandled) continue
      oldest = id
      break
    }
    if (oldest !== undefined) events.delete(oldest)
  }

  return {
    isDurable: false,
    claim: ({ body, claimedUntil, id, keepUntil, now, token }) =>
      Effect.sync(() => {
        const known = events.get(id)
        if (known !== undefined && known.keepUntil > now) {
          if (known.isHandled) return "Handled"
          if (known.claimedUntil > now && known.token !== token) return "Busy"
          events.set(id, { ...known, token, claimedUntil })
          return "Claimed"
        }
        events.delete(id)
        forget(now)
        events.set(id, { body, token, claimedUntil, keepUntil, isHandled: false })
        return "Claimed"
      }),
    settle: (id, token, isHandled) =>
      Effect.sync(() => {
        const known = events.get(id)
        if (known !== undefined && known.token === token && !known.isHandled) {
          events.set(id, { ...known, isHandled, claimedUntil: 0 })
        }
      }),
    find: (id) => Effect.sync(() => events.get(id)?.body),
    keep: (name, text, keepUntil) =>
      Effect.sync(() => {
        texts.set(name, { text, keepUntil: Math.max(keepUntil, texts.get(name)?.keepUntil ?? 0) })
      }),
    kept: (name) => Effect.sync(() => texts.get(name)?.text)
  }
}

interface Entry {
  readonly body: string
  readonly token: string
  readonly claimedUntil: number
  readonly keepUntil: number
  readonly isHandled: boolean
}
