/**
 * What is the same for every contender: one POST per job, 64 at once, its result told to a webhook.
 *
 * A contender's file is what a user writes. The servers are started for it, and what makes its calls is `post`, the
 * cheapest client there is here, which is also the one that the dam calls with.
 */
import { request } from "undici"

/** What a contender is given. */
export interface Place {
  /** Where jobs go, and where their results are told. */
  readonly target: string
  readonly webhook: string
  /** Where its server is, or the path of its file. */
  readonly database: string
  /** Calls at once. */
  readonly atOnce: number
  /**
   * Whether the result is stored before it is told, by a job of its own, as the dam does. Else the call is repeated when
   * the webhook cannot be told.
   */
  readonly storesResults: boolean
}

/** A contender that works. */
export interface Running {
  /** Resolves once the job would survive a crash of the machine. */
  readonly submit: (body: string) => Promise<unknown>
  readonly stop: () => Promise<unknown>
}

export type Start = (place: Place) => Promise<Running>

export interface Answer {
  readonly status: number
  readonly body: string
}

/** Makes one call. What calls for another attempt is thrown. */
export const post = async (url: string, body: string): Promise<Answer> => {
  const answer = await request(url, { method: "POST", headers: { "content-type": "application/json" }, body })
  const text = await answer.body.text()
  if (answer.statusCode === 429 || answer.statusCode >= 500) throw new Error(`${url} answered ${answer.statusCode}`)
  return { status: answer.statusCode, body: text }
}
