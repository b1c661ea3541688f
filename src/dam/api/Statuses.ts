/** What the routes say of the answers that are errors. */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { ApiError } from "./RefusalShapes.ts"

/** Errors of these statuses. */
export const errors = (...statuses: ReadonlyArray<number>) =>
  statuses.map((status) => ApiError.pipe(HttpApiSchema.status(status)))
