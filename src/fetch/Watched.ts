/**
 * An answer whose body is watched on its way: when it has ended, and what it said.
 *
 * Some of it is read ahead, so that a short body that nobody asks for ends all the same; a long one that nobody reads does
 * not keep a place for ever.
 */

/** Who watches a body. */
export interface Watcher {
  /** It has ended, whatever came of it; or nobody has read on for long. */
  readonly over: () => void
  /** Nobody reads: calls `over` after a while, unless what is returned is called before. */
  readonly stalled: () => () => void
  /** The whole of it, where it has come to its end and is no longer than `mostCollected`; absent: nobody asks. */
  readonly whole?: ((body: Uint8Array) => void) | undefined
}

const readAhead = 64 * 1024

/** What is taken apart is no longer than this, in bytes. */
export const mostCollected = 1024 * 1024

/** The same answer with its body watched; as it is, where it has none or its body cannot be watched. */
export const watch = (response: Response, watcher: Watcher): Response => {
  const { body, status } = response
  if (!(body instanceof ReadableStream) || body.locked || status < 200 || status > 599) {
    watcher.over()
    return response
  }
  return dressed(new Response(streamOf(body, watcher), response), response)
}

/** A made-up `Response` does not know where it came from. */
const dressed = (made: Response, { redirected, type, url }: Response): Response =>
  Object.defineProperties(made, {
    url: { value: url },
    redirected: { value: redirected },
    type: { value: type },
    clone: { value: () => dressed(Response.prototype.clone.call(made), { redirected, type, url } as Response) } // no more is read of it
  })

const streamOf = (
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  watcher: Watcher
): ReadableStream<Uint8Array<ArrayBuffer>> => {
  const reader = body.getReader()
  const collected = watcher.whole === undefined ? undefined : new Chunks()
  let reads = nothing
  const end = (): void => {
    reads()
    watcher.over()
  }
  return new ReadableStream(
    {
      type: "bytes",
      pull: (controller) => {
        reads()
        reads = nothing
        const pass = (): Promise<void> =>
          reader.read().then(
            ({ done, value }) => {
              if (done) {
                if (collected?.isWhole === true) watcher.whole?.(collected.bytes())
                end()
                controller.close()
                controller.byobRequest?.respond(0)
                return
              }
              if (value.byteLength === 0) return pass()
              // what is passed on is gone from here
              collected?.add(value)
              controller.enqueue(value)
              if ((controller.desiredSize ?? 0) <= 0) reads = watcher.stalled()
            },
            (cause) => {
              end()
              controller.error(cause)
            }
          )
        return pass()
      },
      cancel: (reason) => {
        end()
        return reader.cancel(reason)
      }
    },
    { highWaterMark: readAhead }
  )
}

const nothing = (): void => undefined

/** Bytes as they come, up to what is taken apart. */
class Chunks {
  #parts: Array<Uint8Array> = []
  #length = 0

  get isWhole(): boolean {
    return this.#length <= mostCollected
  }

  add(chunk: Uint8Array): void {
    this.#length += chunk.byteLength
    if (this.isWhole) this.#parts.push(chunk.slice())
    else this.#parts = []
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.#length)
    let at = 0
    for (const part of this.#parts) {
      all.set(part, at)
      at += part.byteLength
    }
    return all
  }
}
