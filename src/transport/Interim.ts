/**
 * Lets an answer come through behind a `100 Continue` that nobody asked for.
 *
 * Some servers send one before every answer to a POST. HTTP tells clients to skip it, undici closes the connection over
 * it instead, and the call would be made again and again. So an interim 100 is handed to its parser as a 103, which it
 * skips, and which counts like one.
 */
import type { Socket } from "node:net"
import type { buildConnector } from "undici"

/** Makes a connector whose connections skip it. */
export const skipping =
  (connect: buildConnector.connector): buildConnector.connector =>
  (target, callback) =>
    connect(target, (...connected) => {
      if (connected[0] === null) watch(connected[1])
      callback(...connected)
    })

/** Changes what is read from a socket, from each request up to the head of its answer. */
const watch = (socket: Socket): void => {
  let isHeadDue = false
  // what ended in the midst of a head that may be one of an interim 100
  let held: Buffer | undefined
  const read = socket.read.bind(socket)
  const write = socket.write
  socket.write = (...given: ReadonlyArray<unknown>) => {
    isHeadDue = true
    return Reflect.apply(write, socket, given)
  }
  socket.read = (size?: number) => {
    const chunk: unknown = read(size)
    if (!isHeadDue || !Buffer.isBuffer(chunk)) return chunk
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk])
    const { passed, rest } = rewritten(bytes)
    isHeadDue = rest !== undefined
    held = rest === undefined || rest.length === 0 ? undefined : rest
    return passed.length === 0 ? null : passed
  }
}

interface Rewritten {
  /** What may be parsed. */
  readonly passed: Buffer
  /** What has to wait for more; `undefined` once the head of the answer has begun. */
  readonly rest: Buffer | undefined
}

const rewritten = (bytes: Buffer): Rewritten => {
  let at = 0
  while (true) {
    const start = bytes.toString("latin1", at, at + CONTINUE)
    if (BEGINNING.test(start)) break
    const [, status] = INTERIM.exec(start) ?? []
    if (status === undefined) return { passed: bytes, rest: undefined }
    const end = bytes.indexOf("\r\n\r\n", at, "latin1")
    if (end < 0) break
    if (status === "100") bytes.write("103", at + STATUS, "latin1")
    at = end + END
  }
  const rest = bytes.subarray(at)
  // a head without end is for the parser to judge
  return rest.length > MOST ? { passed: bytes, rest: undefined } : { passed: bytes.subarray(0, at), rest }
}

// with the sign behind the status, so that 1000 is not taken for it; 101 ends what HTTP has to say
const INTERIM = /^HTTP\/1\.[01] (1(?!01)\d\d)[ \r]$/
/** What may still become one. */
const BEGINNING = /^(?:H(?:T(?:T(?:P(?:\/(?:1(?:\.(?:[01](?: (?:1(?:\d(?:\d)?)?)?)?)?)?)?)?)?)?)?)?$/
const STATUS = "HTTP/1.1 ".length
const CONTINUE = "HTTP/1.1 100 ".length
const END = "\r\n\r\n".length
const MOST = 16_384
