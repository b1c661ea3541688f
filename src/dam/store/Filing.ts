/**
 * Filing without a fiber of its own: begun by a function, told by a callback.
 *
 * What most jobs are is new, and what becomes of them is that they are stored; effects around both cost more than they do.
 * So whoever files jobs and is told in callbacks anyway says so here. Everything else that may come of a job becomes an
 * effect again and goes the way it always went. It is known of the function that files, so that whatever is put in its
 * place does not inherit it.
 */
import * as Effect from "effect/Effect"
import type { NewJob } from "../job/Job.ts"
import type { Enqueued } from "./JobRecords.ts"

/** The job is new. */
export type Stored = Extract<Enqueued, { readonly _tag: "Stored" }>

/** Is told once: that the job was stored, or how it goes on from here. */
export type Done<A, E> = (filed: Stored | Effect.Effect<A, E>) => void

/** Begins to file a job; nothing stops it. */
export type Begin<Rest extends ReadonlyArray<unknown>, A, E> = (done: Done<A, E>, job: NewJob, ...rest: Rest) => void

type File<Rest extends ReadonlyArray<unknown>, A, E> = (job: NewJob, ...rest: Rest) => Effect.Effect<A, E>

/** Says of a function that files how its filing is begun. */
export const begunBy = <Rest extends ReadonlyArray<unknown>, A, E>(
  file: File<Rest, A, E>,
  begin: Begin<Rest, A, E> | undefined
): File<Rest, A, E> => {
  if (begin !== undefined) begins.set(file, begin)
  return file
}

/** How the filing of a function is begun, where that is all that there is to it. */
export const of = <Rest extends ReadonlyArray<unknown>, A, E>(file: File<Rest, A, E>): Begin<Rest, A, E> | undefined =>
  // what is known of a function was said of it by `begunBy`, which holds both to the same types
  begins.get(file) as Begin<Rest, A, E> | undefined

/** The same filing, both ways, of a job that is changed before, and with something to do where it was not simply stored. */
export const around = <Rest extends ReadonlyArray<unknown>, A, E>(
  file: File<Rest, A, E>,
  before: (job: NewJob) => NewJob,
  after: (job: NewJob, filed: A) => Effect.Effect<A, E>
): File<Rest, A, E> => {
  const begin = of(file)
  return begunBy(
    (job, ...rest) => Effect.flatMap(file(before(job), ...rest), (filed) => after(job, filed)),
    begin &&
      ((done, job, ...rest) =>
        begin(
          (filed) => done(Effect.isEffect(filed) ? Effect.flatMap(filed, (found) => after(job, found)) : filed),
          before(job),
          ...rest
        ))
  )
}

const begins = new WeakMap<object, unknown>()
