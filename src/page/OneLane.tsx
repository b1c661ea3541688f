/** One lane: how it goes, what holds it, how to steer it, and who did so. */
import * as LaneShapes from "../dam/api/LaneShapes.ts"
import { type Lane, query } from "./Api.ts"
import { away, count, laneHref } from "./Format.ts"
import { Found, paceNow } from "./Found.tsx"
import { type Asked, useAsked } from "./Hooks.ts"
import { live, rateOf, useNews } from "./Live.ts"
import { Cell, Fact, Failed, HoldReason, Nothing, Rate, Table, Time, TimeCell, sources } from "./Parts.tsx"
import { Figure, Past, Reaches } from "./Past.tsx"
import { reachIn } from "./Spans.ts"
import { Steer } from "./Steer.tsx"

type Log = typeof LaneShapes.LaneLog.Type

interface OneLaneOptions {
  readonly name: string
  readonly parameters: URLSearchParams
}

export const OneLane = ({ name, parameters }: OneLaneOptions) => {
  const path = `/api/v1/lanes/${encodeURIComponent(name)}`
  useNews("moment")
  const { again, problem, value: lane } = useAsked(LaneShapes.Lane, path, "numbers")
  const log = useAsked(LaneShapes.LaneLog, `${path}/log`, "steered")
  const reach = reachIn(parameters)
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
          <Facts lane={lane} log={log.value} />
          {(lane.paused !== null || lane.holds.length > 0) && <Held lane={lane} />}
          <Steer lane={lane} path={path} again={again} />
          <h2>What goes through</h2>
          <Reaches reach={reach} href={(span) => `${laneHref(name)}${query({ span })}`} />
          {reach === "" && <Lately lane={lane} />}
          <Past reach={reach} lane={name} limit={limitOf(lane, log.value)} />
          <Done log={log} />
        </>
      )}
    </section>
  )
}

/** When its pace was last set by hand. */
const setAt = (log: Log | undefined): number | undefined => log?.entries.find(({ action }) => action === "pace")?.at

/** How fast it may go, and since when it may. */
const limitOf = ({ learnt, rps, source }: Lane, log: Log | undefined) => ({
  rps,
  since: source === "operator" ? setAt(log) : (learnt?.at ?? undefined)
})

/** How it stands now, second by second. */
const Lately = ({ lane }: { readonly lane: Lane }) => {
  const past = live.past(lane.lane)
  return (
    <div class="charts">
      <Figure
        title="Waiting"
        said="jobs, since the page was opened"
        height={150}
        unit="jobs"
        label={`${count(lane.queued + lane.parked)} jobs wait`}
        at={past?.at ?? []}
        lines={[{ name: "waiting", color: "--accent", values: past?.waiting ?? [] }]}
      />
      <Figure
        title="Rate"
        said="calls per second, against its limit"
        height={150}
        unit="/s"
        label={`${count(rateOf(past) ?? 0)} calls per second of ${count(lane.rps)}`}
        at={past?.at ?? []}
        lines={[
          { name: "calls", color: "--good", values: past === undefined ? [] : [null, ...past.rate] },
          { name: "limit", color: "--warn", values: (past?.at ?? []).map(() => lane.rps) }
        ]}
      />
    </div>
  )
}

interface FactsOptions {
  readonly lane: Lane
  readonly log: Log | undefined
}

const Facts = ({ lane, log }: FactsOptions) => (
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
      <Rate rate={rateOf(live.past(lane.lane))} limit={paceNow(lane)} source={lane.source} />
    </Fact>
    <Fact name="Limit" isLong>
      {count(lane.rps)} per second, {count(lane.max_concurrent)} at once <Since lane={lane} log={log} />
    </Fact>
    {lane.rule !== undefined && lane.rule.parts !== "host" && (
      <Fact name="Told apart by" isLong>
        {lane.rule.parts} ({lane.rule.by})
      </Fact>
    )}
    {lane.ceiling !== undefined && (
      <Fact name="Its host together" isLong>
        {[
          ...(lane.ceiling.rps === null ? [] : [`${count(lane.ceiling.rps)} per second`]),
          ...(lane.ceiling.max_concurrent === null ? [] : [`${count(lane.ceiling.max_concurrent)} at once`])
        ].join(", ")}
      </Fact>
    )}
    <Found lane={lane} />
    {lane.learnt !== undefined && lane.source === "operator" && <Learnt {...lane.learnt} />}
    <Fact name="Next call">{lane.next_at === null ? "nobody can tell" : <Soon at={lane.next_at} />}</Fact>
    <Fact name="Calls that wait">{count(lane.waiting)}</Fact>
    <Fact name="Accounts that wait">{count(lane.accounts)}</Fact>
    <Fact name="Jobs">
      <a href={`#/jobs?lane=${encodeURIComponent(lane.lane)}`}>all of this lane</a>
    </Fact>
  </dl>
)

/** Who says so, and since when. */
const Since = ({ lane: { learnt, source }, log }: FactsOptions) => {
  const at = source === "operator" ? setAt(log) : source === "learnt" ? (learnt?.at ?? undefined) : undefined
  return (
    <small class="faint line">
      {sources[source] ?? source}
      {at !== undefined && (
        <>
          {" since "}
          <Time at={at} />
        </>
      )}
    </small>
  )
}

interface LearntOptions {
  readonly rps: number | null
  readonly max_concurrent: number | null
  readonly at: number | null
}

/** What holds again once nobody says otherwise. */
const Learnt = ({ at, max_concurrent: atOnce, rps }: LearntOptions) => (
  <Fact name="Its upstream said" isLong>
    {[rps !== null && `${count(rps)} per second`, atOnce !== null && `${count(atOnce)} at once`]
      .filter((said) => said !== false)
      .join(", ")}
    <small class="faint line">
      {at !== null && <Time at={at} />}
      {"; what was set by hand goes before it"}
    </small>
  </Fact>
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

const Done = ({ log: { problem, value } }: { readonly log: Asked<Log> }) => (
  <section aria-labelledby="log-title">
    <h2 id="log-title">Who did what</h2>
    <Failed problem={problem} />
    {value === undefined || value.entries.length === 0 ? (
      problem === undefined && <Nothing loading={value === undefined}>Nobody has steered this lane.</Nothing>
    ) : (
      <Table caption="What was done with this lane, the newest first" columns={["When", "Who", "What", "Details"]}>
        {value.entries.map(({ action, at, by, detail }, index) => (
          <tr key={value.entries.length - index}>
            <TimeCell name="When" at={at} />
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
