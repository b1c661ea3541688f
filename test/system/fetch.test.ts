/** Libraries as they are published, over a `fetch` that keeps to the pace of whom they call. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import Anthropic from "@anthropic-ai/sdk"
import { Octokit } from "@octokit/core"
import axios from "axios"
import ky from "ky"
import { createFetch as createOfetch } from "ofetch"
import OpenAI from "openai"
import Stripe from "stripe"
import { createFetch } from "../../src/fetch.ts"
import { apis, listen } from "./support/Upstreams.ts"

type Fetch = typeof globalThis.fetch

/** A library over a `fetch`; `retries` are its own. */
interface Library {
  readonly api: keyof typeof apis
  readonly hasRetries: boolean
  readonly call: (fetch: Fetch, retries: number, base: string) => (nth: number) => Promise<unknown>
  /** What each call brings. */
  readonly brings: unknown
}

const messages = [{ role: "user" as const, content: "hello" }]

const libraries: Readonly<Record<string, Library>> = {
  openai: {
    api: "openai",
    hasRetries: true,
    call: (fetch, maxRetries) => {
      const client = new OpenAI({ apiKey: "key", fetch, maxRetries })
      return async (nth) => {
        if (nth % 2 === 0) {
          const answer = await client.chat.completions.create({ model: "small", messages })
          return answer.choices[0]?.message.content
        }
        const parts: Array<string> = []
        for await (const part of await client.chat.completions.create({ model: "small", messages, stream: true })) {
          const { content } = part.choices[0]?.delta ?? {}
          if (typeof content === "string") parts.push(content)
        }
        return parts.join(" ")
      }
    },
    brings: "one two three"
  },
  "@anthropic-ai/sdk": {
    api: "anthropic",
    hasRetries: true,
    call: (fetch, maxRetries) => {
      const client = new Anthropic({ apiKey: "key", fetch, maxRetries })
      const asked = { model: "small", messages, max_tokens: 10 }
      return async (nth) => {
        if (nth % 2 === 0) {
          const [block] = (await client.messages.create(asked)).content
          return block?.type === "text" && block.text
        }
        const parts: Array<string> = []
        for await (const event of await client.messages.create({ ...asked, stream: true })) {
          if (event.type === "content_block_delta" && event.delta.type === "text_delta") parts.push(event.delta.text)
        }
        return parts.join(" ")
      }
    },
    brings: "one two three"
  },
  "@octokit/core": {
    api: "github",
    hasRetries: false,
    call: (fetch) => {
      const client = new Octokit({ auth: "token", request: { fetch } })
      return async (nth) =>
        (await client.request("GET /repos/{owner}/{repo}/issues", { owner: "a", repo: "b", nth })).status
    },
    brings: 200
  },
  stripe: {
    api: "stripe",
    hasRetries: true,
    call: (fetch, maxNetworkRetries) => {
      const client = new Stripe("key", { httpClient: Stripe.createFetchHttpClient(fetch), maxNetworkRetries })
      return async () => (await client.customers.list({ limit: 2 })).data.length
    },
    brings: 2
  },
  ky: {
    api: "plain",
    hasRetries: true,
    call: (fetch, limit, base) => {
      const client = ky.create({ fetch, retry: { limit, methods: ["post"] }, timeout: false })
      return (nth) => client.post(`${base}/things`, { json: { nth: nth > -1 } }).json()
    },
    brings: { echo: { nth: true } }
  },
  ofetch: {
    api: "plain",
    hasRetries: true,
    call: (fetch, retry, base) => {
      const client = createOfetch({
        fetch,
        Headers,
        AbortController,
        defaults: { retry, retryStatusCodes: [429], retryDelay: 50 }
      })
      return (nth) => client(`${base}/things`, { method: "POST", body: { nth: nth > -1 } })
    },
    brings: { echo: { nth: true } }
  },
  "axios, fetch adapter": {
    api: "plain",
    hasRetries: false,
    call: (fetch, _, base) => {
      const client = axios.create({ adapter: "fetch", env: { fetch } })
      return async (nth) => (await client.post(`${base}/things`, { nth: nth > -1 })).data
    },
    brings: { echo: { nth: true } }
  }
}

const pace = { rps: 50, maxConcurrent: 4 }

const together = 9

const retriesOf = ({ hasRetries }: Library): ReadonlyArray<number> => (hasRetries ? [0, 2] : [0])

/** All calls at once: how each of them ended, and what the upstream saw of it. */
const run = async (library: Library, paced: boolean, retries: number) => {
  await using upstream = await listen(apis[library.api])
  const fetch = paced ? createFetch({ fetch: upstream.fetch, pace }) : upstream.fetch
  const call = library.call(fetch, retries, upstream.base)
  const ended = await Promise.allSettled(Array.from({ length: together }, (_, nth) => call(nth)))
  return { ended, accepted: upstream.accepted(), refused: upstream.refused(), mostOpen: upstream.mostOpen() }
}

describe.concurrent("a paced fetch", () => {
  // they wait more than they work, so all of them begin together
  const begun = new Map<string, ReturnType<typeof run>>()

  beforeAll(() => {
    for (const [name, library] of Object.entries(libraries)) {
      begun.set(name, run(library, false, 0))
      for (const retries of retriesOf(library)) begun.set(`${name}, ${retries}`, run(library, true, retries))
    }
  })

  for (const [name, library] of Object.entries(libraries)) {
    for (const retries of retriesOf(library)) {
      it(`brings every call of ${name} through, its own retries ${retries === 0 ? "off" : "on"}`, async () => {
        const seen = await begun.get(`${name}, ${retries}`)
        assert.deepStrictEqual(
          seen?.ended,
          Array.from({ length: together }, () => ({ status: "fulfilled", value: library.brings }))
        )
        assert.strictEqual(seen?.accepted, together)
        // those that were out together, and, where nobody tells when, those that asked
        assert.isAtMost(seen?.refused ?? Infinity, library.api === "stripe" ? 8 : 4)
        assert.isAtMost(seen?.mostOpen ?? Infinity, pace.maxConcurrent)
      })
    }

    it(`is what makes the difference to ${name}`, async () => {
      const seen = await begun.get(name)
      assert.isAbove(seen?.ended.filter(({ status }) => status === "rejected").length ?? 0, 0)
    })
  }

  it("goes on from page to page, as stripe follows its cursors", async () => {
    await using upstream = await listen(apis.stripe)
    const fetch = createFetch({ fetch: upstream.fetch, pace })
    const client = new Stripe("key", { httpClient: Stripe.createFetchHttpClient(fetch), maxNetworkRetries: 0 })
    const ids: Array<string> = []
    for await (const { id } of client.customers.list({ limit: 2 })) ids.push(id)
    assert.strictEqual(ids.length, 16)
  })

  it("goes on from page to page, as GitHub links them", async () => {
    await using upstream = await listen(apis.github)
    const client = new Octokit({ request: { fetch: createFetch({ fetch: upstream.fetch, pace }) } })
    let pages = 0
    for (let url: string | undefined = "GET /repos/a/b/issues"; url !== undefined; pages++) {
      const { headers }: { readonly headers: { readonly link?: string | undefined } } = await client.request(url)
      url = /<([^>]+)>; rel="next"/.exec(headers.link ?? "")?.[1]
    }
    assert.strictEqual(pages, 8)
  })

  it("stops a call that waits in its lane when the library is told to", async () => {
    await using upstream = await listen(apis.openai)
    const fetch = createFetch({ fetch: upstream.fetch, pace: { rps: 0.01, maxConcurrent: 1 } })
    const client = new OpenAI({ apiKey: "key", fetch, maxRetries: 0 })
    const stop = new AbortController()
    const ask = (signal?: AbortSignal) => client.chat.completions.create({ model: "small", messages }, { signal })
    await ask()
    const second = ask(stop.signal)
    stop.abort()
    const error: unknown = await second.catch((cause: unknown) => cause)
    assert.isTrue(error instanceof OpenAI.APIUserAbortError)
    assert.strictEqual(upstream.accepted(), 1)
  })
})
