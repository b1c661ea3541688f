/**
 * Why a transport brought nothing back: a closed set of reasons, each with what a caller needs to act.
 *
 * Messages are for people and never hold a URL query, a header, a body of ours or a secret.
 *
 * @since 0.1.0
 */
import { FailureFromJson } from "./FailureJson.ts"
import type * as Model from "./FailureModel.ts"

export * from "./FailureModel.ts"
export * from "./Withheld.ts"

/**
 * Every reason for which a transport brings no reply.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Failure = FailureFromJson

/**
 * Every reason for which a transport brings no reply.
 *
 * @category errors
 * @since 0.1.0
 */
export type Failure = Model.Failure
