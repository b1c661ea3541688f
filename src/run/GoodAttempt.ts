/** Attempts that are what was wanted, and what they brought. */
import { isSuccess } from "../engine/Good.ts"
import type { EndedAttempt } from "../step/HistoryModel.ts"
import type { Response } from "../step/ReplyModel.ts"
import * as Reply from "../step/ReplyModel.ts"

export const isGoodAttempt = ({ ending }: EndedAttempt): boolean => ending._tag === "Answered" && isSuccess(ending)

// a host that stores no bodies resumes with the status alone
export const responseOf = ({ ending, response }: EndedAttempt): Response =>
  response ?? Reply.response(ending._tag === "Answered" ? ending.status : 0)
