/** Limits that calls draw on together: how each stands, and a form that defines one. */
import { useEffect, useRef, useState } from "preact/hooks"
import { Limit as Shape, LimitLeft, LimitList } from "../dam/api/LimitShapes.ts"
import { Field, type Kind } from "./Field.tsx"
import { count, millis } from "./Format.ts"
import { useAnswered, useAsked } from "./Hooks.ts"
import { choiceOf, empty, fieldOf, type Limit, type Typed, typedOf } from "./LimitTyped.ts"
import { Cell, Failed, Nothing, sources, Table } from "./Parts.tsx"

export const Limits = () => {
  const { again, problem, value } = useAsked(LimitList, "/api/v1/limits", "numbers")
  const [chosen, setChosen] = useState<Limit>()
  return (
    <section aria-labelledby="limits-title">
      <h1 id="limits-title" tabIndex={-1}>
        Limits
      </h1>
      <Failed problem={problem} />
      {value === undefined || value.limits.length === 0 ? (
        <Nothing loading={value === undefined && problem === undefined}>
          {value !== undefined &&
            "No limit is defined. Jobs may draw on one, beside the pace of their host, once it is."}
        </Nothing>
      ) : (
        <Table caption="Limits" columns={["Limit", "Allows", "Left", "Open", "Waiting", "Change"]}>
          {value.limits.map((limit) => (
            <Row key={limit.name} limit={limit} change={() => setChosen(limit)} again={again} />
          ))}
        </Table>
      )}
      <LimitForm key={chosen?.name} chosen={chosen} done={again} />
    </section>
  )
}

const keysShown = 5

const Row = ({
  again,
  change,
  limit
}: {
  readonly limit: Limit
  readonly change: () => void
  readonly again: () => void
}) => {
  const { act, busy, problem } = useAnswered(LimitLeft, again)
  const sum = (of: "open" | "waiting") => count(limit.levels.reduce((all, level) => all + level[of], 0))
  return (
    <tr>
      <Cell name="Limit" wide>
        {limit.name} <small class="faint">{sources[limit.source] ?? limit.source}</small>
      </Cell>
      <Cell name="Allows">
        {limit.rate !== null && (
          <span>
            {count(limit.rate)} <span class="faint">in {millis(limit.per_ms)}</span>
          </span>
        )}
        {limit.concurrency !== null && <span class="line">{count(limit.concurrency)} at once</span>}
      </Cell>
      <Cell name="Left">
        {limit.levels.slice(0, keysShown).map(({ available, key }) => (
          <span class="line" key={key}>
            {key !== "" && <span class="faint">{key} </span>}
            {available === null ? "–" : count(available)}
          </span>
        ))}
        {limit.levels.length > keysShown && <span class="faint">and {limit.levels.length - keysShown} keys more</span>}
        {limit.levels.length === 0 && <span class="faint">all of it</span>}
      </Cell>
      <Cell name="Open">{sum("open")}</Cell>
      <Cell name="Waiting">{sum("waiting")}</Cell>
      <Cell name="Change">
        <button aria-label={`Change ${limit.name}`} onClick={change}>
          Change
        </button>
        {limit.source === "operator" && (
          <button
            class="danger"
            aria-disabled={busy}
            aria-label={`Delete ${limit.name}`}
            onClick={() => {
              if (confirm(`Take back what is set here for ${limit.name}?`)) {
                void act(`/api/v1/limits/${encodeURIComponent(limit.name)}`, { method: "DELETE" })
              }
            }}
          >
            Delete
          </button>
        )}
        <Failed problem={problem} />
      </Cell>
    </tr>
  )
}

interface Named {
  readonly name: keyof Typed
  readonly title: string
  readonly kind: Kind
  readonly hint?: string
}

const fields: ReadonlyArray<Named> = [
  { name: "name", title: "Name", kind: "line", hint: "As jobs name it; one that is there is changed" },
  { name: "rate", title: "Units", kind: "number" },
  { name: "per_ms", title: "In so many seconds", kind: "number", hint: "Left empty: 1" },
  {
    name: "burst",
    title: "Units at once",
    kind: "number",
    hint: "And the most that a call may cost. Left empty: as Units, at least 1"
  },
  { name: "concurrency", title: "Calls at once", kind: "number" },
  {
    name: "settle",
    title: "What a call has cost stands in",
    kind: "line",
    hint: "JSON of the answer, such as usage.total_tokens, or a header, written with a colon: x-cost:"
  },
  { name: "weights", title: "Weights of customers", kind: "lines", hint: "One a line: acme 3. All others have 1" }
]

const LimitForm = ({ chosen, done }: { readonly chosen: Limit | undefined; readonly done: () => void }) => {
  const [typed, setTyped] = useState(chosen === undefined ? empty : typedOf(chosen))
  const [said, setSaid] = useState("")
  const form = useRef<HTMLFormElement>(null)
  const { act, busy, problem } = useAnswered(Shape, (limit) => {
    setTyped(typedOf(limit))
    setSaid(`Saved. ${limit.name} holds from now on, and over restarts.`)
    done()
  })
  const field = problem?.said?.field === undefined ? undefined : fieldOf(problem.said.field)
  const isAtField = fields.some(({ name }) => name === field)
  useEffect(() => {
    if (field !== undefined) form.current?.querySelector<HTMLElement>(`[name=${field}]`)?.focus()
  }, [problem])
  useEffect(() => {
    if (chosen !== undefined) form.current?.querySelector<HTMLElement>("[name=rate]")?.focus()
  }, [])
  return (
    <section aria-labelledby="limit-title">
      <h2 id="limit-title">{chosen === undefined ? "Define a limit" : `Change ${chosen.name}`}</h2>
      <form
        class="submit notices"
        ref={form}
        noValidate
        aria-label="Define a limit"
        onSubmit={(event) => {
          event.preventDefault()
          setSaid("")
          void act(`/api/v1/limits/${encodeURIComponent(typed.name.trim())}`, { method: "PUT", body: choiceOf(typed) })
        }}
      >
        {fields.map((one) => (
          <Field
            key={one.name}
            {...one}
            value={typed[one.name]}
            problem={field === one.name ? problem?.message : undefined}
            onType={(value) => setTyped({ ...typed, [one.name]: value })}
          />
        ))}
        <p class="actions whole">
          <button type="submit" class="first" aria-disabled={busy || typed.name.trim() === ""}>
            Save
          </button>
        </p>
      </form>
      <Failed problem={isAtField ? undefined : problem} />
      <p class="done" role="status">
        {said}
      </p>
    </section>
  )
}
