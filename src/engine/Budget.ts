/**
 * How much may be sent to a target on top of its calls: retries, reroutes and hedges draw on one budget, and so do the
 * redeliveries that nobody has scheduled. State in, what happened, state out.
 *
 * Calls earn, time earns a floor, and what is not used leaks away as the calls that earned it get old. So a target that is
 * down sees little more than its calls, however many callers it has, and a quiet one may still be tried again.
 */

/**
 * How large a budget is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  /** What each call earns, in further calls. */
  readonly share: number
  /** Further calls a minute beside that. */
  readonly perMinute: number
}

/**
 * What is left of the budget of a target.
 *
 * @category models
 * @since 0.1.0
 */
export interface Budget {
  /** Further calls that may be made now, and a fraction of one. */
  readonly left: number
  /** Calls of late; old ones count less than one. */
  readonly calls: number
  /** The moment both are true of, in milliseconds. */
  readonly at: number
}

/** A fifth of the calls, and ten a minute. @category bounds @since 0.1.0 */
export const defaults: Settings = { share: 0.2, perMinute: 10 }
/** Milliseconds after which a call earns no more than a third of what it earned. @category bounds @since 0.1.0 */
export const recent = 10_000

/** The budget of a target that has not been called: its floor. @category constructors @since 0.1.0 */
export const full = ({ perMinute }: Settings, now: number): Budget => ({ left: perMinute, calls: 0, at: now })

/** A call has left that is none on top of another. @category transitions @since 0.1.0 */
export const called = (self: Budget, settings: Settings, now: number): Budget => {
  const { at, calls, left } = aged(self, settings, now)
  return capped({ left: left + settings.share, calls: calls + 1, at }, settings)
}

/**
 * Pays for one call on top of another; `undefined`: there is nothing to pay with.
 *
 * @category decisions
 * @since 0.1.0
 */
export const paid = (self: Budget, settings: Settings, now: number): Budget | undefined => {
  const { at, calls, left } = aged(self, settings, now)
  // five fifths are a little less than one
  return left < 1 - slack ? undefined : { left: Math.max(0, left - 1), calls, at }
}

/** What was paid for has not been made after all. @category transitions @since 0.1.0 */
export const givenBack = (self: Budget, settings: Settings): Budget =>
  capped({ ...self, left: self.left + 1 }, settings)

/** Whole calls that may be made on top now. @category decisions @since 0.1.0 */
export const room = (self: Budget, settings: Settings, now: number): number =>
  Math.floor(aged(self, settings, now).left + slack)

/**
 * Milliseconds until there is something to pay with though nobody calls; without a floor that is never.
 *
 * @category decisions
 * @since 0.1.0
 */
export const wait = (self: Budget, settings: Settings, now: number): number => {
  const { left } = aged(self, settings, now)
  return left >= 1 - slack ? 0 : Math.ceil(((1 - left) * minute) / settings.perMinute)
}

/** A clock that is set back earns nothing, and takes nothing. */
const aged = (self: Budget, settings: Settings, now: number): Budget => {
  const passed = Math.max(0, now - self.at)
  return capped(
    {
      left: self.left + (passed * settings.perMinute) / minute,
      calls: self.calls * Math.exp(-passed / recent),
      at: now
    },
    settings
  )
}

const capped = (self: Budget, { perMinute, share }: Settings): Budget => ({
  ...self,
  left: Math.min(self.left, perMinute + share * self.calls)
})

const minute = 60_000
const slack = 1e-9
