/** One lane: how it goes, what holds it, how to steer it, and who did so. */
import { useState } from "preact/hooks"
import * as LaneShapes from "../dam/api/LaneShapes.ts"
import type { Lane } from "./Api.ts"
import { Chart } from "./Chart.tsx"
import { away, count } from "./Format.ts"
import { useAction, useAsked } from "./Hooks.ts"
import { happened, live, rateOf, useNews } from "./Live.ts"
import { Cell, Fact, Failed, HoldReason, Nothing, Rate, Table, Time } from "./Parts.tsx"

export const OneLane = ({ name }: { readonly name: string }) => {
  const path = `/api/v1/lanes/${encodeURIComponent(name)}`
  useNews("moment")
  const { again, problem, value: lane } = useAsked(LaneShapes.Lane, path, "numbers")
  const past = live.past(name)
  return (
    <section aria-labelledby="lane-title">
      <p class="way">
        <a href="#/">Overview</a> / lane
      </p>
      <h1 id="lane-title" tabIndex={-1}>
        {name}
      </h1>
      <Failed problem={problem} />
      {lane === undefined ? (
        problem === undefined && <Nothing loading>{null}</Nothing>
      ) : (
        <>
          <Facts lane={lane} />
          {(lane.paused !== null || lane.holds.length > 0) && <Held lane={lane} />}
          <Steer lane={lane} path={path} again={again} />
          <div class="charts">
            <figure>
              <figcaption>
                Waiting <span class="faint">jobs, since the page was opened</span>
              </figcaption>
              <Chart
                height={150}
                unit="jobs"
                label={`${count(lane.queued + lane.parked)} jobs wait`}
                at={past?.at ?? []}
                lines={[{ name: "waiting", color: "--accent", values: past?.waiting ?? [] }]}
              />
            </figure>
            <figure>
              <figcaption>
                Rate <span class="faint">calls per second, against its limit</span>
              </figcaption>
              <Chart
                height={150}
                unit="/s"
                label={`${count(rateOf(past) ?? 0)} calls per second of ${count(lane.rps)}`}
                at={past?.at ?? []}
                lines={[
                  { name: "calls", color: "--good", values: past === undefined ? [] : [null, ...past.rate] },
                  { name: "limit", color: "--warn", values: (past?.at ?? []).map(() => lane.rps) }
                ]}
              />
            </figure>
          </div>
          <Done path={path} />
        </>
      )}
    </section>
  )
}

const Facts = ({ lane }: { readonly lane: Lane }) => (
  <dl class="facts">
    <Fact name="Waiting">
      <a href={`#/jobs?status=queued&lane=${encodeURIComponent(lane.lane)}`}>{count(lane.queued)} queued</a>
      {lane.parked > 0 && `, ${count(lane.parked)} between attempts`}
      {lane.scheduled > 0 && `, ${count(lane.scheduled)} scheduled`}
    </Fact>
    <Fact name="Running">
      {count(lane.running)} of {count(lane.max_concurrent)}
    </Fact>
    <Fact name="Rate" isLong>
      <Rate rate={rateOf(live.past(lane.lane))} limit={lane.rps} source={lane.source} />
    </Fact>
    <Fact name="Next call">{lane.next_at === null ? "nobody can tell" : <Soon at={lane.next_at} />}</Fact>
    <Fact name="Calls that wait">{count(lane.waiting)}</Fact>
    <Fact name="Accounts that wait">{count(lane.accounts)}</Fact>
    <Fact name="Jobs">
      <a href={`#/jobs?lane=${encodeURIComponent(lane.lane)}`}>all of this lane</a>
    </Fact>
  </dl>
)

const Soon = ({ at }: { readonly at: number }) => <>{away(at).startsWith("in") ? away(at) : "at once"}</>

const Held = ({ lane: { holds, paused } }: { readonly lane: Lane }) => (
  <section class="why" aria-labelledby="held-title">
    <h2 id="held-title">What holds it</h2>
    <ul>
      {paused !== null && (
        <li>
          paused by {paused.by} at <Time at={paused.at} />
          {paused.note !== null && paused.note !== "" && `: ${paused.note}`}
        </li>
      )}
      {holds.map((hold) => (
        <li key={`${hold.reason} ${hold.account ?? ""}`}>
          <HoldReason hold={hold} />
        </li>
      ))}
    </ul>
  </section>
)

const Steer = ({ again, lane, path }: { readonly lane: Lane; readonly path: string; readonly again: () => void }) => {
  const { act, busy, problem } = useAction(() => {
    again()
    happened("steered")
  })
  const steer = (how: string, body: unknown) => void act(`${path}/${how}`, body)
  return (
    <section class="steer" aria-labelledby="steer-title">
      <h2 id="steer-title">Steer</h2>
      <Pausing lane={lane} busy={busy} steer={steer} />
      <Pacing lane={lane} busy={busy} steer={steer} />
      <Failed problem={problem} />
    </section>
  )
}

interface Steering {
  readonly lane: Lane
  readonly busy: boolean
  readonly steer: (how: string, body: unknown) => void
}

const Pausing = ({ busy, lane, steer }: Steering) => {
  const [note, setNote] = useState("")
  return (
    <form
      class="actions"
      aria-label="Pause or resume"
      onSubmit={(event) => {
        event.preventDefault()
        steer(lane.paused === null ? "pause" : "resume", lane.paused !== null || note === "" ? {} : { note })
        setNote("")
      }}
    >
      {lane.paused === null && (
        <label>
          Note, why
          <input value={note} maxLength={500} onInput={(event) => setNote(event.currentTarget.value)} />
        </label>
      )}
      <button type="submit" aria-disabled={busy}>
        {lane.paused === null ? "Pause" : "Resume"}
      </button>
    </form>
  )
}

const Pacing = ({ busy, lane, steer }: Steering) => {
  const [rps, setRps] = useState("")
  const [open, setOpen] = useState("")
  return (
    <form
      class="actions"
      aria-label="Set the pace"
      onSubmit={(event) => {
        event.preventDefault()
        if (rps === "" && open === "") return
        steer("pace", {
          ...(rps === "" ? {} : { rps: Number(rps) }),
          ...(open === "" ? {} : { max_concurrent: Number(open) })
        })
        setRps("")
        setOpen("")
      }}
    >
      <label>
        Calls per second
        <input
          type="number"
          min="0.001"
          max="100000"
          step="any"
          placeholder={String(lane.rps)}
          value={rps}
          onInput={(event) => setRps(event.currentTarget.value)}
        />
      </label>
      <label>
        Open at once
        <input
          type="number"
          min="1"
          max="10000"
          step="1"
          placeholder={String(lane.max_concurrent)}
          value={open}
          onInput={(event) => setOpen(event.currentTarget.value)}
        />
      </label>
      <button type="submit" aria-disabled={busy || (rps === "" && open === "")}>
        Set pace
      </button>
      <button
        type="button"
        aria-disabled={busy}
        class="danger"
        onClick={() => {
          if (confirm(`Forget the pace set here, what ${lane.lane} taught, and its holds?`)) steer("reset", {})
        }}
      >
        Reset
      </button>
    </form>
  )
}

const Done = ({ path }: { readonly path: string }) => {
  const { problem, value } = useAsked(LaneShapes.LaneLog, `${path}/log`, "steered")
  return (
    <section aria-labelledby="log-title">
      <h2 id="log-title">Who did what</h2>
      <Failed problem={problem} />
      {value === undefined || value.entries.length === 0 ? (
        problem === undefined && <Nothing loading={value === undefined}>Nobody has steered this lane.</Nothing>
      ) : (
        <Table caption="What was done with this lane, the newest first" columns={["When", "Who", "What", "Details"]}>
          {value.entries.map(({ action, at, by, detail }, index) => (
            <tr key={value.entries.length - index}>
              <Cell name="When">
                <Time at={at} />
              </Cell>
              <Cell name="Who">{by}</Cell>
              <Cell name="What">{action}</Cell>
              <Cell name="Details" wide>
                {detail === "" ? "–" : detail}
              </Cell>
            </tr>
          ))}
        </Table>
      )}
    </section>
  )
}
