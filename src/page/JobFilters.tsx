/** What narrows the list of jobs, how much of each is shown, and the views that are kept. */
import { AllThatFit } from "./AllThatFit.tsx"
import { query } from "./Api.ts"
import { Choice, Filters, Typed } from "./Filters.tsx"
import { useTyped } from "./Hooks.ts"
import { columns, columnsIn, orders, ranges, sizeOf, sizes, type Wanted } from "./JobQuery.ts"
import { useKept } from "./Kept.ts"
import { laneTyped } from "./LaneTyped.ts"
import { live } from "./Live.ts"

/** None at all, or one of these. */
const choices = (names: ReadonlyArray<string>): Readonly<Record<string, string>> => ({
  "": "all",
  ...Object.fromEntries(names.map((name) => [name, name]))
})

const states = choices(["scheduled", "queued", "running", "parked", "succeeded", "failed", "cancelled"])
const deliveries = choices(["none", "pending", "delivered", "undelivered"])

/** Of more than these nobody reads the list. */
const suggested = 200

export const hrefOf = (wanted: Wanted): string => `#/jobs${query(wanted)}`

export const JobFilters = ({ wanted }: { readonly wanted: Wanted }) => {
  const [q, setQ] = useTyped(wanted.q)
  const [lane, setLane] = useTyped(wanted.lane)
  const [metadata, setMetadata] = useTyped(wanted.metadata)
  const show = (changed: Partial<Wanted>) => {
    // what is changed is no longer the view of this name
    location.hash = hrefOf({ ...wanted, q: q.trim(), metadata, cursor: "", view: "", ...changed })
  }
  const look = async (changed: Partial<Wanted>) => {
    const found = await laneTyped(lane)
    // what is typed may be what is asked for already, in other words
    setLane(found)
    show({ lane: found, ...changed })
  }
  const go = (changed: Partial<Wanted>) => {
    if (lane === wanted.lane) show(changed)
    else void look(changed)
  }
  return (
    <>
      <Filters label="Filter jobs" onAsk={() => go({})}>
        <Typed name="Search" value={q} placeholder="id, host/path, order=7, text" onType={setQ} />
        <Choice name="State" value={wanted.status} options={states} onChoose={(status) => go({ status })} />
        <Choice
          name="Webhooks"
          value={wanted.delivery_status}
          options={deliveries}
          onChoose={(status) => go({ delivery_status: status })}
        />
        <Choice name="Accepted" value={wanted.since} options={ranges} onChoose={(since) => go({ since })} />
        {wanted.since === "between" && (
          <>
            <Moment name="From" value={wanted.from} onChoose={(from) => go({ from })} />
            <Moment name="To" value={wanted.to} onChoose={(to) => go({ to })} />
          </>
        )}
        <Typed
          name="Lane"
          value={lane}
          placeholder="api.example.com"
          suggested={Array.from(live.lanes().keys()).slice(0, suggested)}
          onType={setLane}
        />
        <Choice name="Order" value={wanted.sort} options={orders} onChoose={(sort) => go({ sort })} />
        <Typed name="Metadata" value={metadata} placeholder="name:value, name:value" onType={setMetadata} />
        <button type="submit">Filter</button>
      </Filters>
      <div class="menus">
        <Shown wanted={wanted} go={go} />
        <Views wanted={wanted} />
        <AllThatFit wanted={wanted} />
      </div>
    </>
  )
}

const Moment = ({
  name,
  onChoose,
  value
}: {
  readonly name: string
  readonly value: string
  readonly onChoose: (value: string) => void
}) => (
  <label>
    {name}
    <input type="datetime-local" value={value} onChange={(event) => onChoose(event.currentTarget.value)} />
  </label>
)

const Shown = ({ go, wanted }: { readonly wanted: Wanted; readonly go: (changed: Partial<Wanted>) => void }) => {
  const shown = columnsIn(wanted)
  const toggle = (name: string) => {
    const next = Object.keys(columns).filter((one) => (one === name ? !shown.includes(one) : shown.includes(one)))
    // all of them need not be named, and none is a word that no column has
    go({ columns: next.length === Object.keys(columns).length ? "" : next.length === 0 ? "none" : next.join(" ") })
  }
  return (
    <details>
      <summary>What is shown</summary>
      <fieldset>
        <legend>Columns</legend>
        {Object.entries(columns).map(([name, title]) => (
          <label class="inline" key={name}>
            {title}
            <input type="checkbox" checked={shown.includes(name)} onChange={() => toggle(name)} />
          </label>
        ))}
      </fieldset>
      <div class="actions">
        <Choice name="Jobs on a page" value={sizeOf(wanted)} options={sizes} onChoose={(limit) => go({ limit })} />
        <label class="inline">
          Count all that fit
          <input
            type="checkbox"
            checked={wanted.count === "true"}
            onChange={() => go({ count: wanted.count === "true" ? "" : "true" })}
          />
        </label>
      </div>
    </details>
  )
}

interface View {
  readonly name: string
  readonly href: string
}

/** A line for each, the name behind the address, which has no space. */
const useViews = () => {
  const [kept, keep] = useKept("views")
  const views = kept.split("\n").flatMap((line): ReadonlyArray<View> => {
    const [href = "", ...name] = line.split(" ")
    return href.startsWith("#/jobs") ? [{ href, name: name.join(" ") }] : []
  })
  return [
    views,
    (next: ReadonlyArray<View>) => keep(next.map(({ href, name }) => `${href} ${name}`).join("\n"))
  ] as const
}

const Views = ({ wanted }: { readonly wanted: Wanted }) => {
  const [views, setViews] = useViews()
  const { view: shown } = wanted
  const isKept = views.some(({ name }) => name === shown)
  // one that somebody has sent comes with its name
  const [name, setName] = useTyped(isKept ? "" : shown)
  const here = hrefOf({ ...wanted, cursor: "" })
  return (
    <details>
      <summary>Views {views.length > 0 && <span class="faint">{views.length}</span>}</summary>
      <ul>
        {views.map((view) => (
          <li key={view.name}>
            <a href={view.href} aria-current={view.href === here ? "true" : undefined}>
              {view.name}
            </a>{" "}
            <button
              aria-label={`Forget the view ${view.name}`}
              onClick={() => setViews(views.filter((one) => one.name !== view.name))}
            >
              Forget
            </button>
          </li>
        ))}
      </ul>
      <form
        class="actions"
        aria-label="Keep this view"
        onSubmit={(event) => {
          event.preventDefault()
          const called = name.trim()
          if (called === "") return
          const href = hrefOf({ ...wanted, cursor: "", view: called })
          setViews([...views.filter((one) => one.name !== called), { name: called, href }])
          setName("")
          location.hash = href
        }}
      >
        <label>
          Name of this view
          <input value={name} maxLength={60} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <button type="submit">Keep in this browser</button>
      </form>
    </details>
  )
}
