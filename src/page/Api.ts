/** What the page asks the dam, in the shapes of its API. */

export interface Answer {
  readonly status_code: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly body_base64?: string
}

export interface Hold {
  readonly until: number
  readonly reason: string
  readonly status: number | null
  readonly job_id: string | null
  readonly account?: string
}

export interface Lane {
  readonly lane: string
  readonly scheduled: number
  readonly queued: number
  readonly parked: number
  readonly running: number
  readonly rps: number
  readonly max_concurrent: number
  readonly source: string
  readonly holds: ReadonlyArray<Hold>
  readonly paused: { readonly by: string; readonly at: number; readonly note: string | null } | null
  readonly next_at: number | null
  readonly accounts: number
  readonly waiting: number
  readonly calls: number
}

export interface JobSummary {
  readonly job_id: string
  readonly status: string
  readonly delivery_status: string
  readonly idempotent_key: string
  readonly method: string
  readonly url: string
  readonly lane: string
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly due_at: number | null
  readonly attempts_made: number
  readonly response_status: number | null
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface Attempt {
  readonly path: number
  readonly racer: number
  readonly kind: string
  readonly region: string | null
  readonly at: number
  readonly pause_ms: number
  readonly latency_ms: number
  readonly ending: string
  readonly status: number | null
  readonly error?: string
}

export interface DeliveryAttempt {
  readonly at: number
  readonly latency_ms: number
  readonly status: number | null
  readonly error: string | null
  readonly excerpt: string | null
}

export interface Delivery {
  readonly delivery_id: string
  readonly url: string
  readonly status: string
  readonly due_at: number | null
  readonly attempts: ReadonlyArray<DeliveryAttempt>
}

export interface Job extends JobSummary {
  readonly request: {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
    readonly body_bytes?: number
  }
  readonly response?: Answer | null
  readonly error?: string | null
  readonly attempts: ReadonlyArray<Attempt>
  readonly deliveries: ReadonlyArray<Delivery>
}

export interface Jobs {
  readonly jobs: ReadonlyArray<JobSummary>
  readonly cursor: string | null
}

/** A request that did not do what it should, as the dam said it. */
export class Problem extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const said = async (response: Response): Promise<unknown> => {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    return { error: `the dam answered ${response.status}` }
  }
}

const messageIn = (body: unknown, status: number): string =>
  typeof body === "object" && body !== null && "error" in body ? String(body.error) : `the dam answered ${status}`

/** Makes one request; whoever asks knows the shape of the answer from the API. */
export const ask = async <A>(
  path: string,
  options: { readonly method?: string; readonly body?: unknown; readonly signal?: AbortSignal } = {}
): Promise<A> => {
  const { body, method = body === undefined ? "GET" : "POST", signal } = options
  const response = await fetch(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      // another site cannot send it without asking first
      ...(method === "GET" ? {} : { "x-ezthrottle-page": "1" })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal })
  }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw cause
    throw new Problem(0, "the dam cannot be reached")
  })
  const answer = await said(response)
  if (!response.ok) throw new Problem(response.status, messageIn(answer, response.status))
  return answer as A
}

export const query = (given: Readonly<Record<string, string | number | undefined>>): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && value !== "") parameters.append(name, String(value))
  }
  const text = parameters.toString()
  return text === "" ? "" : `?${text}`
}
