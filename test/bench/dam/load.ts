/**
 * The world around a dam that is measured, in threads of its own: a client that submits over so many connections, and
 * an upstream and receiver that answers at once and counts. Bare sockets, so that the measured side keeps its core.
 */
import { createServer, type Socket, connect } from "node:net"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import { once } from "node:events"

export interface Load {
  readonly port: number
  readonly jobs: number
  readonly connections: number
  /** Where jobs go, and where their results are told. */
  readonly target: string
  readonly webhook: string | undefined
  /** Told apart from the keys of other loads. */
  readonly name: string
}

type Told = { readonly kind: "load"; readonly load: Load } | { readonly kind: "world" }

if (!isMainThread) {
  const told: Told = workerData
  if (told.kind === "load") {
    const micros = await submit(told.load)
    parentPort?.postMessage(micros)
  } else world()
}

export interface Loaded {
  readonly seconds: number
  /** How long each submission took, in microseconds, the shortest first. */
  readonly latencies: Float64Array
  /** Processor time of the client itself. */
  readonly micros: number
}

/** Submits from a thread of its own. */
export const load = async (options: Load): Promise<Loaded> => {
  const worker = new Worker(new URL(import.meta.url), { workerData: { kind: "load", load: options } satisfies Told })
  const [answer] = await once(worker, "message")
  await worker.terminate()
  return answer
}

export interface World {
  readonly upstream: string
  readonly receiver: string
  /** Resolves once so many webhooks have come. */
  readonly told: (count: number) => Promise<void>
  /** How many have come. */
  readonly hooks: () => number
  /** Moments of the calls that came to the upstream, in milliseconds; forgotten by asking. */
  readonly calls: () => Promise<ReadonlyArray<number>>
  readonly stop: () => Promise<unknown>
}

export const startWorld = async (): Promise<World> => {
  const worker = new Worker(new URL(import.meta.url), { workerData: { kind: "world" } satisfies Told })
  const [{ receiver, upstream }] = await once(worker, "message")
  let hooks = 0
  let onHooks = () => {}
  let onCalls: (calls: ReadonlyArray<number>) => void = () => {}
  worker.on("message", (message: { readonly hooks?: number; readonly calls?: ReadonlyArray<number> }) => {
    if (message.hooks !== undefined) hooks = message.hooks
    if (message.calls !== undefined) onCalls(message.calls)
    onHooks()
  })
  return {
    upstream: `http://127.0.0.1:${upstream}`,
    receiver: `http://127.0.0.1:${receiver}`,
    told: (count) =>
      new Promise((resolve) => {
        onHooks = () => hooks >= count && resolve()
        onHooks()
      }),
    hooks: () => hooks,
    calls: () =>
      new Promise((resolve) => {
        onCalls = resolve
        worker.postMessage("calls")
      }),
    stop: () => worker.terminate()
  }
}

/** As little work as can be: a client that is dear takes the dam's processor. */
async function submit(options: Load) {
  const head = `POST /api/v1/jobs HTTP/1.1\r\nhost: 127.0.0.1:${options.port}\r\ncontent-type: application/json\r\n`
  const webhooks = options.webhook === undefined ? "" : `,"webhooks":[{"url":"${options.webhook}"}]`
  const start = `{"url":"${options.target}","method":"POST","body":"${"x".repeat(200)}","idempotent_key":"${options.name}-`
  const end = `"${webhooks}}`
  const latencies = new Float64Array(options.jobs)
  let sent = 0
  let done = 0
  // answers of a dam are equally long; the first one is read, the others are measured
  let usual = -1
  const before = process.threadCpuUsage()
  const started = performance.now()
  await new Promise<void>((resolve, reject) => {
    for (let each = 0; each < options.connections; each++) {
      let at = 0
      let place = 0
      let pending = ""
      const next = () => {
        if (sent === options.jobs) return void socket.end()
        place = sent++
        at = performance.now()
        const length = start.length + String(place).length + end.length
        socket.write(`${head}content-length: ${length}\r\n\r\n${start}${place}${end}`, "latin1")
      }
      const answered = () => {
        pending = ""
        latencies[place] = (performance.now() - at) * 1000
        if (++done === options.jobs) resolve()
        next()
      }
      const onAnswer = (length: number, buffer: Uint8Array) => {
        if (pending === "" && length === usual && buffer[9] === 0x32 && buffer[11] === 0x31) return answered()
        pending += Buffer.from(buffer.buffer, buffer.byteOffset, length).toString("latin1")
        const head = pending.indexOf("\r\n\r\n")
        if (head < 0) return
        const body = Number(/content-length: (\d+)/i.exec(pending)?.[1] ?? 0)
        if (pending.length < head + 4 + body) return
        if (!pending.startsWith("HTTP/1.1 201")) return reject(new Error(pending))
        usual = pending.length
        answered()
      }
      const socket = connect({
        host: "127.0.0.1",
        port: options.port,
        noDelay: true,
        onread: {
          buffer: new Uint8Array(4096),
          callback: (length, buffer) => {
            onAnswer(length, buffer)
            return true
          }
        }
      })
      socket.on("connect", next)
      socket.on("error", reject)
    }
  })
  const seconds = (performance.now() - started) / 1000
  const { system, user } = process.threadCpuUsage(before)
  return { seconds, latencies: latencies.toSorted(), micros: system + user } satisfies Loaded
}

function world() {
  let hooks = 0
  let calls: Array<number> = []
  const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
  const serve = (count: (requests: number) => void) => {
    const server = createServer({ noDelay: true }, (socket: Socket) => {
      let pending = ""
      socket.on("error", () => socket.destroy())
      socket.on("data", (chunk: Buffer) => {
        pending += chunk.toString("latin1")
        let requests = 0
        for (;;) {
          const head = pending.indexOf("\r\n\r\n")
          if (head < 0) break
          const length = Number(/content-length: (\d+)/i.exec(pending.slice(0, head))?.[1] ?? 0)
          if (pending.length < head + 4 + length) break
          pending = pending.slice(head + 4 + length)
          requests++
        }
        if (requests === 0) return
        count(requests)
        socket.write(answer.repeat(requests))
      })
    })
    return new Promise<number>((resolve) =>
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resolve(typeof address === "object" && address !== null ? address.port : 0)
      })
    )
  }
  const start = async () => {
    const upstream = await serve((requests) => {
      for (let each = 0; each < requests; each++) calls.push(performance.now())
    })
    const receiver = await serve((requests) => {
      hooks += requests
    })
    parentPort?.postMessage({ upstream, receiver })
    setInterval(() => parentPort?.postMessage({ hooks }), 20)
    parentPort?.on("message", () => {
      parentPort?.postMessage({ calls })
      calls = []
    })
  }
  void start()
}
