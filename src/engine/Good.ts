/** What counts as a success. */
import type { Ending } from "../step/HistoryModel.ts"

type Answered = Extract<Ending, { readonly _tag: "Answered" }>

/**
 * Tells whether a status is a success, 200 to 299. A policy that lists one does not make it a failure.
 *
 * @category decisions
 * @since 0.1.0
 */
export const isGood = (status: number): boolean => status >= 200 && status < 300

/**
 * Tells whether an answer is a success: a 2xx, unless it is known to be a refusal all the same.
 *
 * @category decisions
 * @since 0.1.0
 */
export const isSuccess = ({ says, status }: Answered): boolean => isGood(status) && says === undefined
