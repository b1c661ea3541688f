/** An answer that broke off, and the kinds of failure of a call: what every call needs of them. */
import type { ConnectionFailed, HeadersTooLarge, InvalidEncoding, TlsError, Unsendable } from "../step/FailureModel.ts"
import { InvalidResponse } from "../step/FailureModel.ts"

/**
 * What an error of an HTTP client can turn out to be.
 *
 * @category models
 * @since 0.1.0
 */
export type CallFailure = ConnectionFailed | TlsError | InvalidResponse | HeadersTooLarge | InvalidEncoding | Unsendable

/**
 * The failure of an answer whose head was complete and whose body was not. What is not known is left out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cutShort = (
  status: number,
  receivedBytes: number | undefined,
  announcedBytes: number | undefined
): InvalidResponse => {
  const part =
    announcedBytes === undefined
      ? `${receivedBytes ?? "some"} bytes of a body whose end never came`
      : `${receivedBytes ?? "not all"} of the ${announcedBytes} bytes announced`
  return new InvalidResponse({ received: `status ${status} and ${part}` })
}
