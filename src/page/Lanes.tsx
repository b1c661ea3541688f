/** The lanes: how many wait, how fast they go, what holds them, and how to stop and start them. */
import { useRef, useState } from "preact/hooks"
import { query } from "./Api.ts"
import { Chart } from "./Chart.tsx"
import { away, count } from "./Format.ts"
import { useAction, useAsked } from "./Hooks.ts"
import { Cell, Failed, Nothing, Table } from "./Parts.tsx"

export interface Lane {
  readonly lane: string
  readonly queued: number
  readonly parked: number
  readonly running: number
  readonly rps: number
  readonly max_concurrent: number
  readonly source: string
  readonly holds: ReadonlyArray<{ readonly until: number | null; readonly reason: string; readonly account?: string }>
  readonly paused: { readonly by: string; readonly at: number; readonly note: string | null } | null
  readonly next_at: number | null
}

interface Page {
  readonly lanes: ReadonlyArray<Lane>
  readonly next_cursor: string | null
}

/** How many a lane had waiting each time it was looked at, in this page's time. */
type Depths = Map<string, { readonly at: Array<number>; readonly depths: Array<number> }>

const remembered = 60

const remember = (depths: Depths, lanes: ReadonlyArray<Lane>): void => {
  const now = Date.now() / 1000
  for (const { lane, queued } of lanes) {
    const known = depths.get(lane) ?? { at: [], depths: [] }
    depths.set(lane, {
      at: [...known.at, now].slice(-remembered),
      depths: [...known.depths, queued].slice(-remembered)
    })
  }
}

export const Lanes = ({ parameters }: { readonly parameters: URLSearchParams }) => {
  const prefix = parameters.get("prefix") ?? ""
  const cursor = parameters.get("cursor") ?? ""
  const [typed, setTyped] = useState(prefix)
  const depths = useRef<Depths>(new Map())
  const seen = useRef<Page>(undefined)
  const { again, problem, value } = useAsked<Page>(`/api/v1/lanes${query({ prefix, cursor, limit: 25 })}`, "lanes")
  if (value !== undefined && seen.current !== value) {
    seen.current = value
    remember(depths.current, value.lanes)
  }
  const go = (next: Readonly<Record<string, string>>) => {
    location.hash = `/${query({ prefix: typed, ...next })}`
  }
  return (
    <section aria-labelledby="lanes-title">
      <h2 id="lanes-title">Lanes</h2>
      <form
        class="filters"
        role="search"
        aria-label="Find a lane"
        onSubmit={(event) => {
          event.preventDefault()
          go({})
        }}
      >
        <label>
          Host begins with
          <input value={typed} placeholder="api.example.com" onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <button type="submit">Find</button>
      </form>
      <Failed problem={problem} />
      {value === undefined || value.lanes.length === 0 ? (
        problem === undefined && <Nothing loading={value === undefined}>No host is called yet.</Nothing>
      ) : (
        <Table caption="Lanes" columns={["Lane", "Waiting", "", "Running", "Pace", "Held by", ""]}>
          {value.lanes.map((lane) => (
            <Row key={lane.lane} lane={lane} again={again} past={depths.current.get(lane.lane)} />
          ))}
        </Table>
      )}
      <nav class="pages" aria-label="Pages of lanes">
        {cursor !== "" && <button onClick={() => go({})}>First page</button>}
        {typeof value?.next_cursor === "string" && (
          <button onClick={() => go({ cursor: value.next_cursor ?? "" })}>More lanes</button>
        )}
      </nav>
    </section>
  )
}

const Row = ({
  again,
  lane,
  past
}: {
  readonly lane: Lane
  readonly again: () => void
  readonly past: { readonly at: ReadonlyArray<number>; readonly depths: ReadonlyArray<number> } | undefined
}) => {
  const { act, busy, problem } = useAction(again)
  const path = `/api/v1/lanes/${encodeURIComponent(lane.lane)}`
  const isPaused = lane.paused !== null
  return (
    <tr class={isPaused ? "paused" : undefined}>
      <Cell name="Lane" wide>
        <a href={`#/jobs?lane=${encodeURIComponent(lane.lane)}`}>{lane.lane}</a>
      </Cell>
      <Cell name="Waiting">{count(lane.queued + lane.parked)}</Cell>
      <Cell name="">
        <Chart
          small
          height={28}
          unit=""
          label={`Waiting in ${lane.lane}: ${lane.queued}`}
          at={past?.at ?? []}
          lines={[{ name: "waiting", color: "--accent", values: past?.depths ?? [] }]}
        />
      </Cell>
      <Cell name="Running">
        {count(lane.running)} of {count(lane.max_concurrent)}
      </Cell>
      <Cell name="Pace">
        {count(lane.rps)} per second <span class="faint">{lane.source}</span>
      </Cell>
      <Cell name="Held by">
        {isPaused && (
          <span>
            paused by {lane.paused?.by}
            {typeof lane.paused?.note === "string" && `: ${lane.paused.note}`}
          </span>
        )}
        {lane.holds.map(({ reason, until }) => (
          <span key={reason}>
            {reason}
            {until !== null && `, ends ${away(until)}`}
          </span>
        ))}
        {!isPaused && lane.holds.length === 0 && <span class="faint">–</span>}
      </Cell>
      <Cell name="">
        <button
          disabled={busy}
          aria-label={`${isPaused ? "Resume" : "Pause"} ${lane.lane}`}
          onClick={() => void act(`${path}/${isPaused ? "resume" : "pause"}`, {})}
        >
          {isPaused ? "Resume" : "Pause"}
        </button>
        <Failed problem={problem} />
      </Cell>
    </tr>
  )
}
