/** The trace of a job, and where this browser's user looks at traces. */
import { useState } from "preact/hooks"
import { useKept } from "./Kept.ts"

const placeholder = "{trace_id}"

/** Where to look; `undefined` where the template leads nowhere. */
const linkTo = (template: string, id: string): string | undefined => {
  const href = template.replaceAll(placeholder, encodeURIComponent(id))
  // no script, whatever was pasted
  return template.includes(placeholder) && /^https?:\/\//i.test(href) && URL.canParse(href) ? href : undefined
}

export const Trace = ({ id }: { readonly id: string }) => {
  const [template, setTemplate] = useKept("trace")
  const [typed, setTyped] = useState(template)
  const href = linkTo(template, id)
  const isWrong = typed !== "" && linkTo(typed, id) === undefined
  return (
    <>
      {href === undefined ? (
        <code>{id}</code>
      ) : (
        <a href={href} target="_blank" rel="noreferrer">
          <code>{id}</code>
        </a>
      )}
      <details>
        <summary>Where traces are</summary>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (!isWrong) setTemplate(typed)
          }}
        >
          <label>
            Link, with {placeholder} in it
            <input
              value={typed}
              placeholder={`https://traces.example.com/trace/${placeholder}`}
              aria-invalid={isWrong}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
          <button type="submit" aria-disabled={isWrong}>
            Keep in this browser
          </button>
        </form>
      </details>
    </>
  )
}
