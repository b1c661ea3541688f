/** The part of the facade that is loaded when it is used: a bundler keeps it apart from what every call needs. */
import { EZThrottleError } from "./Errors.ts"

/** For effects, which say in their own way that it could not be loaded. */
export const load = () => import("./Remote.ts")

/** For promises. */
export const remote = async () => {
  try {
    return await load()
  } catch (cause) {
    throw new EZThrottleError("The part of ezthrottle-effect that hands jobs over could not be loaded", null, { cause })
  }
}
