/** How jobs are handed in, and what is answered to that. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Flat from "../../api/FlatShapes.ts"
import * as Views from "../../api/JobShapes.ts"
import type { Intake, Submission } from "../../intake/Intake.ts"
import { credentialsDiffer, refused, type Refused } from "../../intake/Refusal.ts"
import type { Dialect, NewJob } from "../../job/Job.ts"
import * as Filing from "../../store/Filing.ts"
import type { Enqueued } from "../../store/JobRecords.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"

/** The ways in. */
export interface JobFiling {
  readonly submit: (submission: Submission) => Effect.Effect<Answer, Refused>
  readonly submitFlat: (submission: Submission) => Effect.Effect<Answer, Refused>
  /**
   * The same as both without a fiber, where a job is plain and new: its answer, once, or how it is answered. Throws where
   * something breaks before anything has begun.
   */
  readonly begin: (
    done: (answer: Answer | Effect.Effect<Answer, Refused>) => void,
    dialect: Dialect,
    submission: Submission,
    context: Context.Context<never>
  ) => void
}

/** Makes them. */
export const make = (
  { submit }: Pick<Engine["Service"], "submit">,
  intake: Pick<Intake, "cloud" | "flat" | "now">
): JobFiling => {
  const filing = Filing.of(submit)
  const file = (job: NewJob): Effect.Effect<Answer, Refused> =>
    Effect.flatMap(orRefused(submit(job)), (enqueued) => receipt(job, enqueued))
  return {
    submit: (submission) => Effect.flatMap(intake.cloud(submission), file),
    submitFlat: (submission) => Effect.flatMap(intake.flat(submission), file),
    begin: (done, dialect, submission, context) => {
      const job = intake.now(dialect, submission, context)
      if (Effect.isEffect(job)) return done(Effect.flatMap(job, file))
      if (filing === undefined) return done(file(job))
      filing(
        (filed) =>
          done(
            Effect.isEffect(filed)
              ? Effect.flatMap(orRefused(filed), (enqueued) => receipt(job, enqueued))
              : storedReceipt(job)
          ),
        job
      )
    }
  }
}

const storedReceipt = (job: NewJob): Answer =>
  json(201, job.dialect === "flat" ? Flat.flatAccepted(job) : Views.accepted(job))

const receipt = (job: NewJob, enqueued: Enqueued): Effect.Effect<Answer, Refused> => {
  const isFlat = job.dialect === "flat"
  switch (enqueued._tag) {
    case "Stored":
      return Effect.succeed(storedReceipt(job))
    case "Duplicate":
      return Effect.succeed(json(200, isFlat ? Flat.flatDuplicate(enqueued.job) : Views.duplicate(enqueued.job)))
    case "Conflict":
      return Effect.fail(keyReused(enqueued.jobId))
    case "CredentialsDiffer":
      return Effect.fail(
        refused(422, "credentials_differ", credentialsDiffer(enqueued.jobId), { extra: { job_id: enqueued.jobId } })
      )
  }
}

const keyReused = (jobId: string): Refused =>
  refused(422, "key_reused", `the idempotency key names job ${jobId}, which has another url, method or body`, {
    field: "idempotent_key",
    extra: { job_id: jobId }
  })
