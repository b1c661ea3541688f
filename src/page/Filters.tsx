/** What narrows a list: words that are typed and asked for together, and choices that count at once. */
import type { ComponentChildren } from "preact"
import { useId } from "preact/hooks"

export const Filters = ({
  label,
  onAsk,
  children
}: {
  readonly label: string
  readonly onAsk: () => void
  readonly children: ComponentChildren
}) => (
  <form
    class="filters"
    role="search"
    aria-label={label}
    onSubmit={(event) => {
      event.preventDefault()
      onAsk()
    }}
  >
    {children}
  </form>
)

export const Typed = ({
  name,
  value,
  placeholder,
  suggested = [],
  onType
}: {
  readonly name: string
  readonly value: string
  readonly placeholder: string
  /** What is offered while somebody types. */
  readonly suggested?: ReadonlyArray<string>
  readonly onType: (value: string) => void
}) => {
  const list = useId()
  return (
    <label>
      {name}
      <input
        value={value}
        placeholder={placeholder}
        list={suggested.length > 0 ? list : undefined}
        onInput={(event) => onType(event.currentTarget.value)}
      />
      {suggested.length > 0 && (
        <datalist id={list}>
          {suggested.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </label>
  )
}

export const Choice = ({
  name,
  value,
  options,
  onChoose
}: {
  readonly name: string
  readonly value: string | undefined
  /** What stands in the address, and what is read. */
  readonly options: Readonly<Record<string, string>>
  readonly onChoose: (value: string) => void
}) => (
  <label>
    {name}
    <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
      {Object.entries(options).map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  </label>
)
