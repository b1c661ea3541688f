/** Who is told what, and from when on. What is wrong with it the dam says, at the field it is about. */
import { useEffect, useRef, useState } from "preact/hooks"
import { Notices } from "../dam/api/NoticeShapes.ts"
import { Field } from "./Field.tsx"
import { useAnswered } from "./Hooks.ts"
import { Failed } from "./Parts.tsx"
import { choiceOf, events, fieldOf, markNames, marks, type Now, type Typed, typedOf } from "./Telling.ts"

interface NoticeFormOptions {
  readonly now: Now
  readonly done: () => void
}

export const NoticeForm = ({ done, now }: NoticeFormOptions) => {
  const [typed, setTyped] = useState(() => typedOf(now))
  const [said, setSaid] = useState("")
  const form = useRef<HTMLFormElement>(null)
  const { act, busy, problem } = useAnswered(Notices, (answer) => {
    setTyped(typedOf(answer))
    setSaid(
      answer.source === "configured"
        ? "What is configured holds again."
        : answer.urls.length === 0
          ? "Saved. Nobody is told anything."
          : "Saved. It holds from now on, and over restarts."
    )
    done()
  })
  const field = problem?.said?.field === undefined ? undefined : fieldOf(problem.said.field)
  const problemAt = (name: string) => (field === name ? problem?.message : undefined)
  useEffect(() => {
    if (field !== undefined) form.current?.querySelector<HTMLElement>(`[name=${field}]`)?.focus()
  }, [problem])
  const put = (body: unknown) => {
    setSaid("")
    void act("/api/v1/notices", { method: "PUT", body })
  }
  const isAtField = field === "urls" || field === "events" || markNames.some((name) => name === field)
  return (
    <section aria-labelledby="choose-title">
      <h2 id="choose-title">
        Who is told what{" "}
        <span class="faint">{now.source === "chosen" ? "chosen here or over the API" : "from the configuration"}</span>
      </h2>
      <form
        class="submit notices"
        ref={form}
        noValidate
        aria-label="Who is told what"
        onSubmit={(event) => {
          event.preventDefault()
          put(choiceOf(typed, now))
        }}
      >
        <Fields typed={typed} type={setTyped} problemAt={problemAt} />
        <p class="actions whole">
          <button type="submit" class="first" aria-disabled={busy}>
            Save
          </button>
          {now.source === "chosen" && (
            <button
              type="button"
              aria-disabled={busy}
              onClick={() => {
                if (confirm("Forget what is chosen here, and go by the configuration?")) put({})
              }}
            >
              Back to the configuration
            </button>
          )}
        </p>
      </form>
      <Failed problem={isAtField ? undefined : problem} />
      <p class="done" role="status">
        {said}
      </p>
    </section>
  )
}

interface FieldsOptions {
  readonly typed: Typed
  readonly type: (typed: Typed) => void
  readonly problemAt: (name: string) => string | undefined
}

const Fields = ({ problemAt, type, typed }: FieldsOptions) => (
  <>
    <Field
      name="urls"
      title="URLs"
      kind="lines"
      placeholder="https://ops.example.com/ezthrottle"
      hint="One a line, at most ten. Give notices a URL of their own: they are no results."
      value={typed.urls}
      problem={problemAt("urls")}
      onType={(urls) => type({ ...typed, urls })}
    />
    <fieldset class="field whole">
      <legend>Told when</legend>
      {Object.entries(events).map(([name, title]) => (
        <label class="inline" key={name}>
          {title}
          <input
            type="checkbox"
            name="events"
            checked={typed.events.includes(name)}
            onChange={() => type({ ...typed, events: toggled(typed.events, name) })}
          />
        </label>
      ))}
      <Failed problem={problemAt("events")} />
    </fieldset>
    {markNames.map((name) => (
      <Field
        key={name}
        name={name}
        title={marks[name].title}
        hint={marks[name].hint}
        kind="number"
        value={typed.marks[name]}
        problem={problemAt(name)}
        onType={(value) => type({ ...typed, marks: { ...typed.marks, [name]: value } })}
      />
    ))}
  </>
)

const toggled = (names: ReadonlyArray<string>, name: string): ReadonlyArray<string> =>
  names.includes(name) ? names.filter((one) => one !== name) : [...names, name]
