/** A job by hand: new, or another one once more with changes. What is wrong the dam says, at the field it is about. */
import * as Result from "effect/Result"
import { useEffect, useRef, useState } from "preact/hooks"
import { JobView, Receipt } from "../dam/api/JobShapes.ts"
import { ask, type Problem } from "./Api.ts"
import { cutFrom } from "./CopyAs.ts"
import { Field, type Kind } from "./Field.tsx"
import { bytes, jobHref } from "./Format.ts"
import { useAnswered } from "./Hooks.ts"
import { Failed } from "./Parts.tsx"
import { fieldOf, jobOf, type Name, names, nothingTyped, type Typed, typedOf, type Unsaid } from "./Submission.ts"

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

interface Described {
  readonly title: string
  readonly kind: Kind
  readonly placeholder?: string
  readonly hint?: string
}

const fields: Readonly<Record<Name, Described>> = {
  method: { title: "Method", kind: methods },
  url: { title: "URL", kind: "line", placeholder: "https://api.example.com/orders" },
  headers: { title: "Headers", kind: "lines", placeholder: "name: value", hint: "One a line." },
  body: { title: "Body", kind: "lines" },
  idempotent_key: {
    title: "Idempotency key",
    kind: "line",
    hint: "Left empty, the same call is made once, however often it is submitted."
  },
  metadata: { title: "Metadata", kind: "lines", placeholder: "order: 4711", hint: "One a line; to find it by." },
  webhooks: {
    title: "Webhooks",
    kind: "lines",
    placeholder: "https://hooks.example.com/done",
    hint: "One URL a line."
  },
  max_retries: { title: "Retries at most", kind: "number" },
  retry_at: { title: "Not before", kind: "moment" },
  more: {
    title: "More, as JSON",
    kind: "lines",
    placeholder: '{ "regions": ["iad"], "on_success": { "url": "…" } }',
    hint: "Everything else that the API takes."
  }
}

/** What the dam refuses, and where. */
const refusalOf = (problem: Problem | undefined): Unsaid | undefined =>
  problem?.said?.field === undefined
    ? undefined
    : {
        field: fieldOf(problem.said.field),
        problem:
          problem.message + (problem.said.nearest === undefined ? "" : ` (did you mean ${problem.said.nearest}?)`)
      }

/** The job that is changed, filled in once; nothing is typed before it is. */
const useFilled = (from: string, fill: (typed: Typed) => void) => {
  const [said, setSaid] = useState<string>()
  const [isFilled, setFilled] = useState(from === "")
  useEffect(() => {
    if (from === "") return
    ask(JobView, `/api/v1/jobs/${encodeURIComponent(from)}`)
      .then(
        (job) => {
          fill(typedOf(job))
          const left = cutFrom(job.request)
          if (left > 0)
            setSaid(
              `Its body of ${bytes(job.request.body_bytes ?? 0)} is too long for the dam to show: it has to be filled in.`
            )
        },
        (cause: unknown) => setSaid(cause instanceof Error ? cause.message : String(cause))
      )
      .then(() => setFilled(true))
  }, [from])
  return { said, isFilled }
}

export const Submit = ({ parameters }: { readonly parameters: URLSearchParams }) => {
  const from = parameters.get("from") ?? ""
  const [typed, setTyped] = useState(nothingTyped)
  const [unsaid, setUnsaid] = useState<Unsaid>()
  const [made, setMade] = useState<typeof Receipt.Type>()
  const form = useRef<HTMLFormElement>(null)
  const { isFilled, said } = useFilled(from, setTyped)
  const { act, busy, problem } = useAnswered(Receipt, setMade)
  const wrong = unsaid ?? refusalOf(problem)
  useEffect(() => {
    if (wrong !== undefined) form.current?.querySelector<HTMLElement>(`[name=${wrong.field}]`)?.focus()
  }, [unsaid, problem])
  const submit = () => {
    const job = jobOf(typed)
    setMade(undefined)
    setUnsaid(Result.isFailure(job) ? job.failure : undefined)
    if (Result.isSuccess(job)) void act("/api/v1/jobs", { body: job.success })
  }
  return (
    <section aria-labelledby="submit-title">
      <h1 id="submit-title" tabIndex={-1}>
        {from === "" ? "Submit a job" : "Edit and run again"}
      </h1>
      {from !== "" && (
        <p class="way">
          after <a href={jobHref(from)}>{from}</a>
        </p>
      )}
      {said !== undefined && <p class="note">{said}</p>}
      <form
        class="submit"
        ref={form}
        noValidate
        aria-label="Job"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        {isFilled &&
          names.map((name) => (
            <Field
              key={name}
              name={name}
              {...fields[name]}
              value={typed[name]}
              problem={wrong?.field === name ? wrong.problem : undefined}
              onType={(value) => setTyped((before) => ({ ...before, [name]: value }))}
            />
          ))}
        <button type="submit" class="first" aria-disabled={busy}>
          Submit
        </button>
      </form>
      <Failed problem={wrong === undefined ? problem : undefined} />
      {problem?.said?.job_id !== undefined && (
        <p>
          That is <a href={jobHref(problem.said.job_id)}>{problem.said.job_id}</a>.
        </p>
      )}
      <Made receipt={made} />
    </section>
  )
}

/** What came of it, and where it is. */
const Made = ({ receipt }: { readonly receipt: typeof Receipt.Type | undefined }) => (
  <p class="done" role="status">
    {receipt !== undefined && (
      <>
        {receipt.duplicate === true
          ? `The same call is known already and is ${receipt.status}; give it another idempotency key to make it again: `
          : "It was taken as "}
        <a href={jobHref(receipt.job_id)}>{receipt.job_id}</a>
      </>
    )}
  </p>
)
