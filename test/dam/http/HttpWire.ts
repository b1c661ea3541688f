/** A client that sends any bytes, and reads what comes back until the answer or the connection is complete. */
import { connect, type Socket } from "node:net"
import type { WireInput } from "../../fixtures/wire-inputs.ts"

export interface WireAnswer {
  readonly status: number | "closed"
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket))
    socket.once("error", reject)
  })

/** Sends one request over a connection of its own. */
export const exchange = async (port: number, request: Buffer, end = false): Promise<WireAnswer> => {
  const socket = await open(port)
  const answer = firstAnswer(socket)
  if (end) socket.end(request)
  else socket.write(request)
  return answer.finally(() => socket.destroy())
}

/** Waits for the first answer of a connection. */
export const firstAnswer = (socket: Socket): Promise<WireAnswer> =>
  new Promise((resolve) => {
    let bytes = Buffer.alloc(0)
    const settle = (isEnd: boolean) => {
      const read = answerIn(bytes, isEnd)
      if (read !== undefined) resolve(read)
    }
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      settle(false)
    })
    socket.on("close", () => settle(true))
    // a server that closes in the middle of what we send resets the connection
    socket.on("error", () => settle(true))
  })

const answerIn = (bytes: Buffer, isEnd: boolean): WireAnswer | undefined => {
  const head = bytes.indexOf("\r\n\r\n")
  if (head < 0) return isEnd ? { status: "closed", headers: {}, body: "" } : undefined
  const [first = "", ...lines] = bytes.toString("latin1", 0, head).split("\r\n")
  const status = Number(first.split(" ")[1])
  if (status === 100) return answerIn(bytes.subarray(head + 4), isEnd)
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()])
  )
  const body = bytes.subarray(head + 4)
  const length = headers["content-length"]
  const isWhole = length !== undefined && body.length >= Number(length)
  return isWhole || isEnd || headers["transfer-encoding"] === "chunked"
    ? { status, headers, body: body.toString("utf8") }
    : undefined
}

/** The bytes of a case. */
export const bytesOf = (input: WireInput, host: string, job: string): Buffer => {
  const fill = (text: string) => text.replaceAll("{host}", host).replaceAll("{job}", job)
  if (input.raw !== undefined) return Buffer.from(fill(input.raw), "latin1")
  const { body, headers = [], method = "POST", path = "/api/v1/jobs", version = "HTTP/1.1" } = input
  const content = typeof body === "object" ? Buffer.from(JSON.stringify(body)) : Buffer.from(body ?? "", "latin1")
  const given = new Set(headers.map(([name]) => name.toLowerCase()))
  const own: ReadonlyArray<readonly [string, string]> = [
    ["Host", host],
    ["Content-Type", "application/json"],
    ["Content-Length", String(content.length)]
  ]
  const lines = [...own.filter(([name]) => !given.has(name.toLowerCase())), ...headers]
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${fill(value ?? "")}\r\n`)
  return Buffer.concat([Buffer.from(`${method} ${fill(path)} ${version}\r\n${lines.join("")}\r\n`, "latin1"), content])
}
