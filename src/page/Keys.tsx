/** Keys for whoever uses the page all day. They are none while something is typed. */
import { useEffect, useRef } from "preact/hooks"

const keys: Readonly<Record<string, string>> = {
  "/": "search",
  j: "the next row",
  k: "the row before",
  Enter: "open what is marked",
  "?": "these keys"
}

let wantsSearch = false

/** Whether somebody asked for a search that is on another view, and is there now. */
export const searchWasWanted = (): boolean => {
  const was = wantsSearch
  wantsSearch = false
  return was
}

/** Takes the reader to what can be searched with; answers whether there is any here. */
export const toSearch = (): boolean => {
  const input = document.querySelector<HTMLInputElement>("[role=search] input")
  input?.focus()
  input?.select()
  return input !== null
}

const search = (): void => {
  if (toSearch()) return
  wantsSearch = true
  location.hash = "/jobs"
}

/** Each row is known by its first link. */
const move = (by: 1 | -1): void => {
  const rows = Array.from(document.querySelectorAll<HTMLElement>("main .rows tbody tr"))
  const here = rows.findIndex((row) => row.contains(document.activeElement))
  const next = here === -1 ? (by === 1 ? 0 : rows.length - 1) : here + by
  const row = rows[Math.min(rows.length - 1, Math.max(0, next))]
  row?.querySelector<HTMLElement>("a, button, summary")?.focus()
  row?.scrollIntoView({ block: "nearest" })
}

const isTyping = ({ target }: KeyboardEvent): boolean =>
  target instanceof Element && target.matches("input, textarea, select, [contenteditable]")

export const Keys = () => {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const does: Readonly<Record<string, () => void>> = {
      "/": search,
      j: () => move(1),
      k: () => move(-1),
      "?": () => dialog.current?.showModal()
    }
    const onKey = (event: KeyboardEvent) => {
      const act = does[event.key]
      if (act === undefined || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return
      if (dialog.current?.open === true) return
      event.preventDefault()
      act()
    }
    // whoever goes back with it open wants to see where
    const close = () => dialog.current?.close()
    addEventListener("keydown", onKey)
    addEventListener("hashchange", close)
    return () => {
      removeEventListener("keydown", onKey)
      removeEventListener("hashchange", close)
    }
  }, [])
  return (
    <>
      <button class="quiet" onClick={() => dialog.current?.showModal()} aria-haspopup="dialog">
        Keys
      </button>
      <dialog ref={dialog} aria-labelledby="keys-title">
        <h2 id="keys-title">Keys</h2>
        <dl class="keys">
          {Object.entries(keys).map(([key, does]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <form method="dialog">
          <button>Close</button>
        </form>
      </dialog>
    </>
  )
}
