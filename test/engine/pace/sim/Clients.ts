/** Clients of hidden limits: the finder, and what people use instead. */
import type { Pace } from "../../../../src/engine/pace/Gate.ts"
import * as Meter from "../../../../src/engine/pace/Meter.ts"
import type { Client } from "./Network.ts"

/** The ceiling under which the table was made. */
export const ceiling: Pace = { rps: 50, maxConcurrent: 10 }

/** A lane's meter that finds the pace, driven by events as its lane drives it. */
export const finder = (): Client => {
  let self = Meter.make({ pace: ceiling, finds: true, bursts: false })
  const sentAt = new Map<number, number>()
  return {
    next: (now) => Meter.opensAt(self, now),
    sent: (now, id) => {
      self = Meter.send(Meter.pass(self, id, now), id, now)
      sentAt.set(id, now)
    },
    answered: (now, id, said) => {
      self = Meter.hear(self, said, { sentAt: sentAt.get(id) ?? now, now })
      self = Meter.leave(self, id, { isTurnKept: true, now })
      sentAt.delete(id)
    }
  }
}

/** So many at once, each waiting 1 s, 2 s, 4 s, … in its place after a refusal: a queue with a retry inside. */
export const queueWithRetry = (places = 10): Client => {
  const slots = Array.from({ length: places }, () => ({ readyAt: 0, tries: 0, call: undefined as number | undefined }))
  const free = () => slots.filter(({ call }) => call === undefined)
  return {
    next: () => Math.min(Infinity, ...free().map(({ readyAt }) => readyAt)),
    sent: (now, id) => {
      const [slot] = free()
        .filter(({ readyAt }) => readyAt <= now)
        .toSorted((self, that) => self.readyAt - that.readyAt)
      if (slot !== undefined) slot.call = id
    },
    answered: (now, id, { isAccepted }) => {
      const slot = slots.find(({ call }) => call === id)
      if (slot === undefined) return
      slot.call = undefined
      slot.readyAt = isAccepted ? now : now + 1000 * 2 ** slot.tries
      slot.tries = isAccepted ? 0 : slot.tries + 1
    }
  }
}

/** Told the true rate by hand; a refused call comes again after a second. */
export const spacedByHand = (rps: number, places = 10): Client => {
  let open = 0
  let dueAt = 0
  const again: Array<number> = []
  return {
    next: (now) => {
      if (open + again.filter((at) => at > now).length < places) return dueAt
      return again.length > 0 && open < places ? Math.max(dueAt, Math.min(...again)) : Infinity
    },
    sent: (now) => {
      open++
      dueAt = Math.max(dueAt, now) + 1000 / rps
      const ready = again.findIndex((at) => at <= now)
      if (ready >= 0) again.splice(ready, 1)
    },
    answered: (now, _, { isAccepted }) => {
      open--
      if (!isAccepted) again.push(now + 1000)
    }
  }
}
