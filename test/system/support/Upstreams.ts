/** APIs on loopback, each with the limits, refusals and answers of one that libraries are made for. */
import { createServer, type ServerResponse } from "node:http"

/** So many calls in so many milliseconds, by a window that begins with a call. */
const calls = 5
const windowMillis = 1000

interface Asked {
  readonly path: string
  readonly query: URLSearchParams
  /** Its JSON, where it has some. */
  readonly json: { readonly stream?: boolean }
}

interface Api {
  readonly host: string
  readonly answer: (asked: Asked, response: ServerResponse, base: string) => void
  readonly refuse: (leftMillis: number) => {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: object
  }
  /** What an accepted call is told of the limit. */
  readonly tell: (remaining: number, leftMillis: number) => Readonly<Record<string, string>>
}

const seconds = (millis: number): string => String(Math.ceil(millis / 1000))

const give = (response: ServerResponse, body: object, headers: Readonly<Record<string, string>> = {}): void => {
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(body))
}

/** Event by event, with a pause in which nothing but a stream goes on. */
const stream = (response: ServerResponse, events: ReadonlyArray<string>): void => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  const next = (place: number): void => {
    const event = events[place]
    if (event === undefined) return void response.end()
    response.write(event)
    setTimeout(() => next(place + 1), 20)
  }
  next(0)
}

const words = ["one", "two", "three"]

const usage = { input_tokens: 1, output_tokens: 1 }

const chunk = (delta: object, finish_reason: string | null = null) => ({
  id: "chat-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "small",
  choices: [{ index: 0, delta, finish_reason }]
})

const openai: Api = {
  host: "api.openai.com",
  answer: ({ json }, response) => {
    if (json.stream !== true) {
      const message = { role: "assistant", content: words.join(" ") }
      return give(response, {
        ...chunk({}),
        object: "chat.completion",
        choices: [{ index: 0, message, finish_reason: "stop" }]
      })
    }
    const events = [...words.map((content) => chunk({ content })), chunk({}, "stop")]
    stream(response, [...events.map((event) => `data: ${JSON.stringify(event)}\n\n`), "data: [DONE]\n\n"])
  },
  refuse: (left) => ({
    status: 429,
    headers: {
      "retry-after-ms": String(left),
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": `${left}ms`
    },
    body: { error: { message: "Rate limit reached for small", type: "requests", code: "rate_limit_exceeded" } }
  }),
  tell: (remaining, left) => ({
    "x-ratelimit-limit-requests": String(calls),
    "x-ratelimit-remaining-requests": String(remaining),
    "x-ratelimit-reset-requests": `${left}ms`
  })
}

const anthropic: Api = {
  host: "api.anthropic.com",
  answer: ({ json }, response) => {
    const message = {
      id: "msg-1",
      type: "message",
      role: "assistant",
      model: "small",
      content: [],
      stop_reason: null,
      usage
    }
    if (json.stream !== true) return give(response, { ...message, content: [{ type: "text", text: words.join(" ") }] })
    const events = [
      { type: "message_start", message },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      ...words.map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
      { type: "content_block_stop", index: 0 },
      { type: "message_stop" }
    ]
    stream(
      response,
      events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    )
  },
  refuse: (left) => ({
    status: 429,
    headers: { "retry-after": seconds(left) },
    body: { type: "error", error: { type: "rate_limit_error", message: "slow down" } }
  }),
  tell: (remaining, left) => ({
    "anthropic-ratelimit-requests-limit": String(calls),
    "anthropic-ratelimit-requests-remaining": String(remaining),
    "anthropic-ratelimit-requests-reset": new Date(Date.now() + left).toISOString()
  })
}

const github: Api = {
  host: "api.github.com",
  answer: ({ path, query }, response, base) => {
    const page = Number(query.get("page") ?? 1)
    const next = `<${base}${path}?page=${page + 1}>; rel="next"`
    give(response, [{ id: page }], page < 8 ? { link: next } : {})
  },
  refuse: (left) => ({
    status: 403,
    headers: { "retry-after": seconds(left) },
    body: { message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again." }
  }),
  tell: () => ({ "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4900", "x-ratelimit-resource": "core" })
}

const stripe: Api = {
  host: "api.stripe.com",
  answer: ({ path, query }, response) => {
    const from = Number((query.get("starting_after") ?? "cus_0").slice(4))
    const data = [from + 1, from + 2].map((id) => ({ id: `cus_${id}`, object: "customer" }))
    give(response, { object: "list", url: path, data, has_more: from + 2 < 16 })
  },
  refuse: () => ({
    status: 429,
    headers: { "stripe-rate-limited-reason": "global-rate" },
    body: { error: { type: "invalid_request_error", code: "rate_limit", message: "Too many requests" } }
  }),
  tell: () => ({})
}

const plain: Api = {
  host: "api.example.com",
  answer: ({ json }, response) => give(response, { echo: json }),
  refuse: (left) => ({ status: 429, headers: { "retry-after": seconds(left) }, body: { error: "slow down" } }),
  tell: (remaining, left) => ({ ratelimit: `limit=${calls}, remaining=${remaining}, reset=${seconds(left)}` })
}

export const apis = { openai, anthropic, github, stripe, plain }

export interface Upstream {
  /** Where the API is to whoever calls it. */
  readonly base: string
  /** The platform's `fetch`, which finds the API on loopback. */
  readonly fetch: typeof globalThis.fetch
  readonly accepted: () => number
  readonly refused: () => number
  /** The most calls that were open at once, streams that had not ended included. */
  readonly mostOpen: () => number
  [Symbol.asyncDispose](): Promise<void>
}

export const listen = async (api: Api): Promise<Upstream> => {
  const base = `https://${api.host}`
  let [accepted, refused, open, mostOpen, since, inWindow] = [0, 0, 0, 0, 0, 0]
  const server = createServer(async (request, response) => {
    let body = ""
    for await (const part of request) body += part
    const now = Date.now()
    if (now - since >= windowMillis) [since, inWindow] = [now, 0]
    inWindow++
    const left = windowMillis - (now - since)
    if (inWindow > calls) {
      refused++
      const { body: problem, headers, status } = api.refuse(left)
      return response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(problem))
    }
    accepted++
    mostOpen = Math.max(mostOpen, ++open)
    response.on("close", () => open--)
    for (const [name, value] of Object.entries(api.tell(calls - inWindow, left))) response.setHeader(name, value)
    const { pathname, searchParams } = new URL(request.url ?? "/", base)
    api.answer(
      { path: pathname, query: searchParams, json: body.startsWith("{") ? JSON.parse(body) : {} },
      response,
      base
    )
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const place = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
  return {
    base,
    fetch: (input, init) => {
      const to = (url: string) => url.replace(base, place)
      return input instanceof Request
        ? globalThis.fetch(new Request(to(input.url), input), init)
        : globalThis.fetch(to(String(input)), init)
    },
    accepted: () => accepted,
    refused: () => refused,
    mostOpen: () => mostOpen,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
