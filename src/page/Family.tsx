/** The chain a job stands in: who started it, whom it starts, and who is it once more. */
import { useEffect, useState } from "preact/hooks"
import { JobPage, JobView } from "../dam/api/JobShapes.ts"
import { ask, type Job, type JobSummary, Problem, query } from "./Api.ts"
import { jobHref, plainUrl, shortId } from "./Format.ts"
import { happened, onNews } from "./Live.ts"
import { Metadata, State } from "./Parts.tsx"

/** A job and whom it started. */
interface Node {
  readonly job: JobSummary
  readonly children: ReadonlyArray<Node>
}

interface Family {
  readonly root: Node
  /** Where the chain begins with a job that is not kept any more. */
  readonly lost: string | undefined
  readonly reruns: ReadonlyArray<JobSummary>
}

/** Chains are short; a longer one is shown from here on. */
const depthAtMost = 20
const listed = 200

const pageOf = async (of: Parameters<typeof query>[0], signal: AbortSignal): Promise<ReadonlyArray<JobSummary>> =>
  (await ask(JobPage, `/api/v1/jobs${query({ ...of, limit: listed })}`, { signal })).jobs

/** `undefined` for one that is not kept any more. */
const find = (id: string, signal: AbortSignal): Promise<Job | undefined> =>
  ask(JobView, `/api/v1/jobs/${encodeURIComponent(id)}`, { signal }).catch((cause: unknown) => {
    if (cause instanceof Problem && cause.status === 404) return undefined
    throw cause
  })

const childrenOf = async (id: string, depth: number, signal: AbortSignal): Promise<ReadonlyArray<Node>> => {
  if (depth === 0) return []
  const children = await pageOf({ parent: id }, signal)
  return Promise.all(children.map(async (job) => ({ job, children: await childrenOf(job.job_id, depth - 1, signal) })))
}

const familyOf = async (job: Job, signal: AbortSignal): Promise<Family> => {
  let oldest = job
  let lost: string | undefined
  for (let depth = 0; depth < depthAtMost && oldest.parent !== null; depth++) {
    const before = await find(oldest.parent.job_id, signal)
    if (before === undefined) {
      lost = oldest.parent.job_id
      break
    }
    oldest = before
  }
  const [children, reruns] = await Promise.all([
    childrenOf(oldest.job_id, depthAtMost, signal),
    pageOf({ rerun_of: job.job_id }, signal)
  ])
  return { root: { job: oldest, children }, lost, reruns }
}

const idsOf = ({ children, job }: Node): ReadonlyArray<string> => [job.job_id, ...children.flatMap(idsOf)]

const useFamily = (job: Job): Family | undefined => {
  const [family, setFamily] = useState<Family>()
  const [round, setRound] = useState(0)
  useEffect(() => {
    const controller = new AbortController()
    familyOf(job, controller.signal).then(setFamily, (cause: unknown) => {
      // what is known of the job itself is shown all the same
      if (!controller.signal.aborted && !(cause instanceof Problem)) throw cause
    })
    return () => controller.abort()
  }, [job.job_id, job.status, round])
  const others = family === undefined ? [] : [...idsOf(family.root), ...family.reruns.map((rerun) => rerun.job_id)]
  useEffect(
    () =>
      onNews((kind) => {
        if (kind === "rerun" || (kind !== job.job_id && others.includes(kind))) setRound((before) => before + 1)
      }),
    [job.job_id, others.join(" ")]
  )
  return family
}

/** Says that a job was run again just now. */
export const ranAgain = (): void => happened("rerun")

const relations: Readonly<Record<string, string>> = { on_success: "on success", on_failure: "on failure" }

export const FamilyOf = ({ job }: { readonly job: Job }) => {
  const family = useFamily(job)
  const isAlone = family === undefined || (family.root.children.length === 0 && family.lost === undefined)
  return (
    <>
      {!isAlone && (
        <section aria-labelledby="chain-title">
          <h2 id="chain-title">Chain</h2>
          {family.lost !== undefined && <p class="faint">It began with {family.lost}, which is not kept any more.</p>}
          <ul class="tree">
            <Branch node={family.root} id={job.job_id} />
          </ul>
        </section>
      )}
      {family !== undefined && family.reruns.length > 0 && (
        <section aria-labelledby="reruns-title">
          <h2 id="reruns-title">Run again</h2>
          <ul class="tree">
            {family.reruns.map((rerun) => (
              <li key={rerun.job_id}>
                <Leaf job={rerun} id={job.job_id} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

const Branch = ({ id, node: { children, job } }: { readonly id: string; readonly node: Node }) => (
  <li>
    <Leaf job={job} id={id} />
    {children.length > 0 && (
      <ul>
        {children.map((child) => (
          <Branch key={child.job.job_id} id={id} node={child} />
        ))}
      </ul>
    )}
  </li>
)

const Leaf = ({ id, job }: { readonly id: string; readonly job: JobSummary }) => (
  <span class="leaf">
    <State name={job.status} />
    {job.parent !== null && <span class="faint">{relations[job.parent.relation] ?? job.parent.relation}</span>}
    <a class="clamped" href={jobHref(job.job_id)} aria-current={job.job_id === id ? "true" : undefined}>
      {job.method} {plainUrl(job.url)}
    </a>
    <code class="faint">{shortId(job.job_id)}</code>
    {job.rerun_of !== null && <span class="faint">again</span>}
    <Metadata of={job.metadata} />
  </span>
)
