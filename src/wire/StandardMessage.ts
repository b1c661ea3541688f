/**
 * The message of the Standard Webhooks convention: what its three headers must look like, whatever it is signed with.
 *
 * - all three headers must be there;
 * - the id is one word of printable ASCII without a comma or a full stop. With a full stop in it, one signed text could
 *   be read as two different messages; with a comma, two headers have been joined;
 * - `webhook-signature` is a list parted by spaces; each item is a version, a comma and a value. Versions that were not
 *   asked for are passed over. Sent twice, it is the list of both.
 */
import * as Result from "effect/Result"
import type { Freshness, HeaderValue, Rejection } from "./SignatureModel.ts"
import * as SignedMessage from "./SignedMessage.ts"

/**
 * The headers of a delivery as they arrived.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceivedHeaders {
  /** The value of `webhook-id`. */
  readonly id: HeaderValue
  /** The value of `webhook-timestamp`. */
  readonly timestamp: HeaderValue
  /** The value of `webhook-signature`. */
  readonly signature: HeaderValue
}

/**
 * The three headers of a signed delivery.
 *
 * @category models
 * @since 0.1.0
 */
export interface SignatureHeaders {
  readonly "webhook-id": string
  readonly "webhook-timestamp": string
  readonly "webhook-signature": string
}

/** What one version of signature asks of a message. */
export interface Scheme<Key> {
  readonly version: string
  /** The verdict when there are signatures, but none of this version. */
  readonly missing: Rejection
  readonly keys: () => SignedMessage.Checked<ReadonlyArray<Key>>
}

export interface Message<Key> {
  readonly keys: ReadonlyArray<Key>
  readonly timestamp: number
  /** What is signed in front of the body. */
  readonly prefix: string
  /** The signatures of this version, as they are spelt. */
  readonly signatures: ReadonlyArray<string>
}

export const read = <Key>(
  { id, timestamp, signature }: ReceivedHeaders,
  scheme: Scheme<Key>,
  freshness: Freshness
): SignedMessage.Checked<Message<Key>> =>
  Result.gen(function* () {
    const idText = yield* SignedMessage.headerText("webhook-id", id)
    const timeText = yield* SignedMessage.headerText("webhook-timestamp", timestamp)
    const signatureText = yield* SignedMessage.headerText("webhook-signature", signature)
    const keys = yield* scheme.keys()
    const word = yield* oneWord(idText)
    const items = yield* itemsOf(signatureText)
    const signatures = items.filter((item) => item.version === scheme.version).map((item) => item.value)
    if (signatures.length === 0) return yield* Result.fail(scheme.missing)
    const seconds = yield* SignedMessage.timestampOf(timeText)
    yield* SignedMessage.withinTolerance(seconds, freshness)
    return { keys, timestamp: seconds, prefix: `${word}.${seconds}.`, signatures }
  })

export const oneWord = (id: string): SignedMessage.Checked<string> =>
  wordPattern.test(id)
    ? Result.succeed(id)
    : SignedMessage.malformed("webhook-id", "is not one word without a comma or a full stop")

interface Item {
  readonly version: string
  readonly value: string
}

const itemsOf = (text: string): SignedMessage.Checked<ReadonlyArray<Item>> =>
  Result.all(
    text.split(itemSeparator).map((part) => {
      const [, version, value] = itemPattern.exec(part) ?? []
      return version === undefined || value === undefined
        ? SignedMessage.malformed("webhook-signature", "holds an item that is not built as version,signature")
        : Result.succeed({ version, value })
    })
  )

const wordPattern = /^[!-+\-/-~]{1,2048}$/ // printable ASCII but for the comma and the full stop
const itemSeparator = /,?[ \t]+/ // a header sent twice arrives joined by a comma and a space
const itemPattern = /^([A-Za-z0-9_-]+),(.*)$/s
