/** The lanes: how many wait, how fast they go, what holds them, and how to stop and start them. */
import { useState } from "preact/hooks"
import { LanePage } from "../dam/api/LaneShapes.ts"
import { type Lane, query } from "./Api.ts"
import { Chart } from "./Chart.tsx"
import { Choice, Filters, Typed } from "./Filters.tsx"
import { away, count, laneHref } from "./Format.ts"
import { useAction, useAsked, useTyped } from "./Hooks.ts"
import { lanesAtMost, live, rateOf, useNews } from "./Live.ts"
import { paceNow } from "./Found.tsx"
import { Cell, Example, Failed, HoldReason, Nothing, Rate, Table } from "./Parts.tsx"

const pageSize = 25

const shows = {
  all: () => true,
  busy: ({ parked, queued, running }: Lane) => parked + queued + running > 0,
  stopped: ({ holds, paused }: Lane) => paused !== null || holds.length > 0
}

const waitingIn = ({ parked, queued }: Lane): number => parked + queued

/** What somebody has to look at stands first, what does nothing last. */
const rankOf = (lane: Lane): number => (shows.stopped(lane) ? 0 : shows.busy(lane) ? 1 : 2)

const orders: Readonly<Record<string, (lane: Lane) => number>> = {
  trouble: rankOf,
  name: () => 0,
  waiting: (lane) => -waitingIn(lane)
}

/** By what is asked for, then by name. */
const sorted = (lanes: ReadonlyArray<Lane>, order: string): ReadonlyArray<Lane> => {
  const of = orders[order] ?? rankOf
  return lanes.toSorted((one, other) => of(one) - of(other) || (one.lane < other.lane ? -1 : 1))
}

/** The lanes that are shown: of those the dam tells by itself, or where there are more of them, of those asked for. */
const useLanes = (prefix: string) => {
  useNews("numbers", "moment")
  const told = live.lanes()
  const isTooMany = told.size >= lanesAtMost && prefix !== ""
  const asked = useAsked(LanePage, isTooMany ? `/api/v1/lanes${query({ prefix, limit: 200 })}` : undefined, "numbers")
  const lanes = isTooMany ? asked.value?.lanes : live.isKnown() ? Array.from(told.values()) : undefined
  return {
    lanes: lanes?.filter(({ lane }) => lane.startsWith(prefix)),
    problem: asked.problem,
    isCut: told.size >= lanesAtMost
  }
}

export const Lanes = ({ parameters }: { readonly parameters: URLSearchParams }) => {
  const prefix = parameters.get("prefix") ?? ""
  const show = parameters.get("show") ?? "all"
  const order = parameters.get("order") ?? "trouble"
  const [typed, setTyped] = useTyped(prefix)
  const [most, setMost] = useState(pageSize)
  const { isCut, lanes, problem } = useLanes(prefix)
  const fits = show === "busy" || show === "stopped" ? shows[show] : shows.all
  const fitting = lanes && sorted(lanes.filter(fits), order)
  const go = (next: Readonly<Record<string, string>>) => {
    // how far back the charts above look stays as it is
    location.hash = `/${query({ span: parameters.get("span") ?? "", prefix: typed, show, order, ...next })}`
  }
  return (
    <section aria-labelledby="lanes-title">
      <h2 id="lanes-title">
        Lanes <span class="faint">{fitting !== undefined && count(fitting.length)}</span>
      </h2>
      <Filters label="Find a lane" onAsk={() => go({})}>
        <Typed name="Host begins with" value={typed} placeholder="api.example.com" onType={setTyped} />
        <button type="submit">Find</button>
        <Choice
          name="Show"
          value={show}
          options={{ all: "all", busy: "with jobs", stopped: "paused or held" }}
          onChoose={(show) => go({ show })}
        />
        <Choice
          name="Order"
          value={order}
          options={{ trouble: "trouble first", waiting: "most waiting first", name: "by name" }}
          onChoose={(order) => go({ order })}
        />
      </Filters>
      <Failed problem={problem} />
      {fitting === undefined || fitting.length === 0 ? (
        lanes?.length === 0 && prefix === "" ? (
          <Example said="No host is called yet: a lane begins with its first job." />
        ) : (
          <Nothing loading={fitting === undefined}>
            No lane fits. <a href="#/">Show all lanes</a>
          </Nothing>
        )
      ) : (
        <Table caption="Lanes" columns={["Lane", "Waiting", "Last minutes", "Running", "Rate", "Held by", "Steer"]}>
          {fitting.slice(0, most).map((lane) => (
            <Row key={lane.lane} lane={lane} />
          ))}
        </Table>
      )}
      <div class="pages">
        {fitting !== undefined && fitting.length > most && (
          <button onClick={() => setMost(most + pageSize)}>
            Show {Math.min(pageSize, fitting.length - most)} more of {count(fitting.length)}
          </button>
        )}
        {isCut && <p class="faint">Only the first {count(lanesAtMost)} lanes are listed: find others by their host.</p>}
      </div>
    </section>
  )
}

const Row = ({ lane }: { readonly lane: Lane }) => {
  const { act, busy, problem } = useAction(() => {})
  const isPaused = lane.paused !== null
  const past = live.past(lane.lane)
  return (
    <tr class={isPaused ? "paused" : undefined}>
      <Cell name="Lane" wide>
        <a href={laneHref(lane.lane)}>{lane.lane}</a>
      </Cell>
      <Cell name="Waiting">
        <span>{count(waitingIn(lane))}</span>
        {lane.scheduled > 0 && <span class="faint line">+ {count(lane.scheduled)} scheduled</span>}
      </Cell>
      <Cell name="Last minutes">
        <Chart
          small
          height={28}
          unit=""
          label={`${count(waitingIn(lane))} waiting`}
          at={past?.at ?? []}
          lines={[{ name: "waiting", color: "--accent", values: past?.waiting ?? [] }]}
        />
      </Cell>
      <Cell name="Running">
        {count(lane.running)} <span class="faint">of {count(lane.max_concurrent)}</span>
      </Cell>
      <Cell name="Rate">
        <Rate rate={rateOf(past)} limit={paceNow(lane)} source={lane.source} />
      </Cell>
      <Cell name="Held by">
        {lane.paused !== null && (
          <span class="held">
            paused by {lane.paused.by} {away(lane.paused.at)}
            {lane.paused.note !== null && lane.paused.note !== "" && `: ${lane.paused.note}`}
          </span>
        )}
        {lane.holds.slice(0, 3).map((hold) => (
          <HoldReason key={`${hold.reason} ${hold.account ?? ""}`} hold={hold} />
        ))}
        {lane.holds.length > 3 && <a href={laneHref(lane.lane)}>{lane.holds.length - 3} more</a>}
        {!isPaused && lane.holds.length === 0 && <span class="faint none">–</span>}
      </Cell>
      <Cell name="Steer">
        <button
          aria-disabled={busy}
          aria-label={`${isPaused ? "Resume" : "Pause"} ${lane.lane}`}
          onClick={() =>
            void act(`/api/v1/lanes/${encodeURIComponent(lane.lane)}/${isPaused ? "resume" : "pause"}`, {})
          }
        >
          {isPaused ? "Resume" : "Pause"}
        </button>
        <Failed problem={problem} />
      </Cell>
    </tr>
  )
}
