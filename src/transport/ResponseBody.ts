/**
 * How much of an answer a transport keeps, the same for every transport.
 *
 * @since 0.1.0
 */
import { ResponseTooLarge, TransportError } from "../step/FailureModel.ts"
import type { Response } from "../step/ReplyModel.ts"

/**
 * Limits of what a transport reads.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResponseLimits {
  /** Bytes of a decoded body that are kept at most; more is `ResponseTooLarge`. Defaults to 1 MiB. */
  readonly maxResponseBytes?: number | undefined
}

/** The limit when the options name none: 1 MiB. */
export const DEFAULT_MAX_BYTES = 1_048_576

/** Answers that have no body whatever their headers say. */
export const isBodiless = (method: string, status: number): boolean =>
  status === 204 || status === 304 || status === 205 || method === "HEAD"

/** A status that an answer, as opposed to an interim or made-up one, may have. */
export const isFinalStatus = (status: number): boolean => status >= 200 && status <= 599

/** The length announced for the body as it travels. */
export const announcedLength = (contentLength: string | undefined): number | undefined =>
  contentLength !== undefined && DIGITS.test(contentLength) ? Number(contentLength) : undefined

/** The failure of an answer that is too large, with what was read of it. */
export const tooLarge = (limitBytes: number, kept: Response): TransportError =>
  new TransportError({ reason: new ResponseTooLarge({ status: kept.status, limitBytes }), kept })

/**
 * Chunks on their way to becoming one body. They are copied as they come: a client's chunk may be a window into its
 * socket buffer, and a body that arrives byte by byte would keep a whole buffer for each of them.
 */
export class Collected {
  length = 0
  #whole: Uint8Array<ArrayBuffer> = EMPTY

  add(chunk: Uint8Array): void {
    const length = this.length + chunk.length
    if (length > this.#whole.length) {
      // the first chunk is most often the only one; from the second on there is room for as much again
      const grown = new Uint8Array(this.length === 0 ? length : 2 * length)
      grown.set(this.#whole.subarray(0, this.length))
      this.#whole = grown
    }
    this.#whole.set(chunk, this.length)
    this.length = length
  }

  /** Plain bytes of their own, and no more than they are. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#whole.length === this.length ? this.#whole : this.#whole.slice(0, this.length)
  }
}

export const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

const DIGITS = /^\d{1,15}$/
