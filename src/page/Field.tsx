/** A field of a form: its name, what to type, and what is wrong with what was typed. */
import { useId } from "preact/hooks"

/** A list of words is a choice. */
export type Kind = "line" | "lines" | "number" | "moment" | ReadonlyArray<string>

interface FieldOptions {
  readonly name: string
  readonly title: string
  readonly kind: Kind
  readonly value: string
  readonly placeholder?: string
  readonly hint?: string
  readonly problem: string | undefined
  readonly onType: (value: string) => void
}

export const Field = ({ hint, kind, name, onType, placeholder, problem, title, value }: FieldOptions) => {
  const id = useId()
  const given = {
    id,
    name,
    value,
    placeholder,
    "aria-invalid": problem !== undefined,
    "aria-describedby": problem !== undefined ? `${id}-problem` : hint === undefined ? undefined : `${id}-hint`,
    onInput: (event: { readonly currentTarget: { readonly value: string } }) => onType(event.currentTarget.value)
  }
  return (
    <div class={`field field-${name}`}>
      <label for={id}>{title}</label>
      {typeof kind !== "string" ? (
        <select {...given}>
          {[...new Set([value, ...kind])].map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      ) : kind === "lines" ? (
        <textarea
          {...given}
          rows={Math.min(14, Math.max(name === "body" ? 6 : 2, value.split("\n").length))}
          spellcheck={false}
        />
      ) : kind === "number" ? (
        <input {...given} type="number" min={0} step="any" />
      ) : kind === "moment" ? (
        <input {...given} type="datetime-local" />
      ) : (
        <input {...given} type="text" spellcheck={false} />
      )}
      {hint !== undefined && (
        <small class="faint" id={`${id}-hint`}>
          {hint}
        </small>
      )}
      {problem !== undefined && (
        <p class="problem" role="alert" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  )
}
