/**
 * Which of a job's headers can be sent.
 *
 * Some say how this connection carries a message, and some where it goes: a job that sets one of them cannot be called,
 * or would be called elsewhere than its URL says. That is known when the job is handed over, so it is refused then. People
 * pass on the headers of a request that came to them, though: what agrees with the job anyway is left out.
 *
 * @since 0.1.0
 */
import { makeStep } from "../../step/StepValue.ts"
import type { Step } from "../../step/StepModel.ts"
import type { Request } from "../../step/Request.ts"

/**
 * Finds a header that cannot be sent; `problem` says what to do, and never what its value was.
 *
 * @category guards
 * @since 0.1.0
 */
export const faultIn = (request: Request): { readonly name: string; readonly problem: string } | undefined => {
  for (const name of Object.keys(request.headers)) {
    const lower = name.toLowerCase()
    const rule = RULES.get(lower)
    if (rule !== undefined && !rule.agrees(request, request.headers[name] ?? "")) {
      return { name, problem: rule.problem }
    }
  }
  return undefined
}

/**
 * Leaves out of a whole tree what is sent anyway. The step itself where there is nothing of the kind.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withoutAgreed = (step: Step): Step => {
  const headers = Object.entries(step.request.headers).filter(([name]) => !RULES.has(name.toLowerCase()))
  const onSuccess = step.onSuccess && withoutAgreed(step.onSuccess)
  const onFailure = step.onFailure && withoutAgreed(step.onFailure)
  const fallbacks = step.fallbacks.map((fallback) => ({ ...fallback, step: withoutAgreed(fallback.step) }))
  const isSame =
    headers.length === Object.keys(step.request.headers).length &&
    onSuccess === step.onSuccess &&
    onFailure === step.onFailure &&
    fallbacks.every((fallback, index) => fallback.step === step.fallbacks[index]?.step)
  return isSame
    ? step
    : makeStep({
        ...step,
        request: { ...step.request, headers: Object.fromEntries(headers) },
        onSuccess,
        onFailure,
        fallbacks
      })
}

interface Rule {
  /** Whether the value says what is so in any case. */
  readonly agrees: (request: Request, value: string) => boolean
  readonly problem: string
}

const never: Rule = {
  agrees: () => false,
  problem: "is about one connection and cannot be sent on; leave it out"
}

const RULES: ReadonlyMap<string, Rule> = new Map([
  [
    "host",
    {
      agrees: ({ url }, value) => hostIn(url, value) === URL.parse(url)?.host,
      problem: "names another host than the URL does; leave it out, or call that host"
    }
  ],
  [
    "content-length",
    {
      agrees: ({ body = "" }, value) =>
        value === String(typeof body === "string" ? Buffer.byteLength(body) : body.length),
      problem: "is not the length of the body; leave it out, it is counted when it is sent"
    }
  ],
  ["connection", { ...never, agrees: (_, value) => /^[ \t]*keep-alive[ \t]*$/i.test(value) }],
  ["keep-alive", never],
  ["proxy-authorization", { ...never, problem: "is for a proxy, which a region of the dam names; leave it out" }],
  ["te", never],
  ["trailer", never],
  ["transfer-encoding", never],
  ["upgrade", never],
  ["expect", never]
])

/** A `Host` as the URL would have it: lower-case, and without the port that its scheme has anyway. */
const hostIn = (url: string, value: string): string | undefined => {
  const parsed = URL.parse(`${URL.parse(url)?.protocol ?? "http:"}//${value.trim()}`)
  return parsed !== null && parsed.pathname === "/" && parsed.username === "" && parsed.search === ""
    ? parsed.host
    : undefined
}
