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

/** Submits and answers how long each submission took, in microseconds. */
export const load = async (options: Load): Promise<{ readonly seconds: number; readonly latencies: Float64Array }> => {
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
    calls: () =>
      new Promise((resolve) => {
        onCalls = resolve
        worker.postMessage("calls")
      }),
    stop: () => worker.terminate()
  }
}

async function submit(options: Load) {
  const head = `POST /api/v1/jobs HTTP/1.1\r\nhost: 127.0.0.1:${options.port}\r\ncontent-type: application/json\r\n`
  const webhooks = options.webhook === undefined ? "" : `,"webhooks":[{"url":"${options.webhook}"}]`
  const text = "x".repeat(200)
  const latencies = new Float64Array(options.jobs)
  let sent = 0
  let done = 0
  const started = performance.now()
  await new Promise<void>((resolve, reject) => {
    for (let each = 0; each < options.connections; each++) {
      const socket = connect({ host: "127.0.0.1", port: options.port, noDelay: true })
      let at = 0
      let place = 0
      const next = () => {
        if (sent === options.jobs) return void socket.end()
        place = sent++
        at = performance.now()
        const body = `{"url":"${options.target}","method":"POST","body":"${text}","idempotent_key":"${options.name}-${place}"${webhooks}}`
        socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`)
      }
      let pending = ""
      socket.on("connect", next)
      socket.on("error", reject)
      socket.on("data", (chunk: Buffer) => {
        pending += chunk.toString("latin1")
        const head = pending.indexOf("\r\n\r\n")
        if (head < 0) return
        const length = Number(/content-length: (\d+)/i.exec(pending)?.[1] ?? 0)
        if (pending.length < head + 4 + length) return
        if (!pending.startsWith("HTTP/1.1 201")) return reject(new Error(pending))
        pending = ""
        latencies[place] = (performance.now() - at) * 1000
        if (++done === options.jobs) resolve()
        next()
      })
    }
  })
  return { seconds: (performance.now() - started) / 1000, latencies: latencies.toSorted() }
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
