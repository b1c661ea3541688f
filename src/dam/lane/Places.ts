/**
 * Places for running jobs, shared by all lanes.
 *
 * Lanes that find none stand in a line and take turns, one place a turn, so that a lane which is new does not wait for
 * the backlog of the others. A lane may have at most `share` times as many places as are left after it: whoever hangs, and
 * however many they are, some are always left for those who do not.
 */
import * as Effect from "effect/Effect"
import type { Room } from "./Permit.ts"

/** The places of a dam. */
export interface Places {
  /** The share of one lane, which is told when it is its turn. */
  readonly of: (told: () => void) => Room
  readonly taken: () => number
}

/** How many places a lane may have for each that is left. */
const share = 8

interface State {
  /** How many there are now: none in a dam that stops. */
  readonly most: () => number
  /** Lanes that wait, in the order of their turns. */
  readonly line: Set<Seeker>
  taken: number
}

interface Seeker {
  readonly told: () => void
  taken: number
}

/** Makes places that nobody has taken. */
export const make = (most: () => number): Places => {
  const self: State = { most, line: new Set(), taken: 0 }
  return { of: (told) => new RoomOf(self, told), taken: () => self.taken }
}

// a class: each lane has one
class RoomOf implements Room {
  private readonly places: State
  private readonly seeker: Seeker

  constructor(places: State, told: () => void) {
    this.places = places
    this.seeker = { told, taken: 0 }
  }

  ask(): boolean {
    const { places, seeker } = this
    const isMine = isEligible(places, seeker) && (nextOf(places) ?? seeker) === seeker
    if (!isMine) places.line.add(seeker)
    return isMine
  }

  take(): void {
    this.places.line.delete(this.seeker)
    this.places.taken++
    this.seeker.taken++
    tellNext(this.places)
  }

  pass(): void {
    if (this.places.line.delete(this.seeker)) tellNext(this.places)
  }

  isFull(): boolean {
    return !isEligible(this.places, this.seeker)
  }

  get giveBack(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.places.taken--
      this.seeker.taken--
      tellNext(this.places)
    })
  }
}

const isEligible = ({ most, taken }: State, seeker: Seeker): boolean => {
  const left = most() - taken
  return left > 0 && seeker.taken < share * left
}

const nextOf = (self: State): Seeker | undefined => {
  for (const seeker of self.line) if (isEligible(self, seeker)) return seeker
  return undefined
}

const tellNext = (self: State): void => {
  if (self.line.size > 0) nextOf(self)?.told()
}
