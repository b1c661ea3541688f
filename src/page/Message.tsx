/** A request or an answer: its headers, and its body as it is easiest to read. */
import { useMemo, useState } from "preact/hooks"
import { Copy } from "./Copy.tsx"
import { bytes, plainHeader } from "./Format.ts"
import { pieces, pretty } from "./Pretty.ts"

/** So much of a body is shown at once; the rest waits until it is asked for. */
const shownAtOnce = 8000
const pieceLength = 8000

export const Message = ({
  body = "",
  first,
  headers,
  left = 0,
  name
}: {
  /** What it is, such as `request`. */
  readonly name: string
  readonly first: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** How many bytes of it the dam does not show. */
  readonly left?: number
}) => (
  <>
    <pre class="message" tabIndex={0} role="region" aria-label={`Headers of the ${name}`}>
      {first}
      {"\n"}
      {Object.entries(headers).map(([name, value]) => `${name}: ${plainHeader(name, value)}\n`)}
    </pre>
    {body !== "" && <Body name={name} body={body} left={left} />}
  </>
)

const Body = ({ body, left, name }: { readonly name: string; readonly body: string; readonly left: number }) => {
  const [isWhole, setWhole] = useState(false)
  const [isRaw, setRaw] = useState(false)
  const formatted = useMemo(() => pretty(body), [body])
  const text = isRaw ? body : (formatted ?? body)
  const shown = useMemo(() => (isWhole ? pieces(text, pieceLength) : [text.slice(0, shownAtOnce)]), [isWhole, text])
  const isCut = !isWhole && text.length > shownAtOnce
  return (
    <>
      <pre class="message" tabIndex={0} role="region" aria-label={`Body of the ${name}`}>
        {shown.map((piece, place) => (
          <span class={isWhole ? "piece" : undefined} key={place}>
            {piece}
          </span>
        ))}
        {isCut && " …"}
        {left > 0 && !isCut && `\n… ${bytes(left)} more, which the dam does not show`}
      </pre>
      <p class="actions">
        {isCut && (
          <button type="button" onClick={() => setWhole(true)}>
            Show all {bytes(text.length)} of the {name}
          </button>
        )}
        {formatted !== undefined && (
          <button type="button" aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
            As it was sent
          </button>
        )}
        <Copy name={`Copy the ${name}'s body`} text={() => body} />
      </p>
    </>
  )
}
