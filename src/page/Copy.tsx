/** A button that takes something to the clipboard, and says so. */
import { useEffect, useState } from "preact/hooks"

/** Browsers give their clipboard only to what came encrypted or from this machine; a selection is copied everywhere. */
const bySelection = (text: string): boolean => {
  const before = document.activeElement
  const area = document.createElement("textarea")
  area.value = text
  area.className = "unseen"
  document.body.append(area)
  area.select()
  const isDone = document.execCommand("copy")
  area.remove()
  if (before instanceof HTMLElement) before.focus()
  return isDone
}

const toClipboard = (text: string): Promise<boolean> =>
  navigator.clipboard === undefined
    ? Promise.resolve(bySelection(text))
    : navigator.clipboard.writeText(text).then(
        () => true,
        () => bySelection(text)
      )

export const Copy = ({ name, text }: { readonly name: string; readonly text: () => string }) => {
  const [said, setSaid] = useState("")
  useEffect(() => {
    if (said === "") return undefined
    const timer = setTimeout(() => setSaid(""), 4000)
    return () => clearTimeout(timer)
  }, [said])
  return (
    <span class="copy">
      <button
        type="button"
        onClick={() => {
          void toClipboard(text()).then((isDone) =>
            setSaid(isDone ? "Copied." : "This browser does not let it be copied.")
          )
        }}
      >
        {name}
      </button>{" "}
      <span class="faint" role="status">
        {said}
      </span>
    </span>
  )
}
