/** Results that nobody took, and how to tell them again. */
import type { ComponentChildren } from "preact"
import { useState } from "preact/hooks"
import { DeadLetterPage, Replayed } from "../dam/api/DeliveryShapes.ts"
import { ask, type DeadLetter, type DeliveryAttempt, type Problem, problemOf, query } from "./Api.ts"
import { Endpoints } from "./Endpoints.tsx"
import { Filters, Typed } from "./Filters.tsx"
import { count, millis, plainUrl } from "./Format.ts"
import { useAction, useAnswered, useAsked, useTyped } from "./Hooks.ts"
import { takes, usePace } from "./Pace.tsx"
import { Cell, Failed, JobLink, Nothing, Table, Time, TimeCell } from "./Parts.tsx"

const reasons: Readonly<Record<string, string>> = {
  attempts_exhausted: "every attempt failed",
  receiver_gone: "the receiver is gone (410)",
  endpoint_disabled: "the receiver was disabled",
  too_large: "too large for the receiver (413): raise its limit for bodies, then tell again"
}

export const DeadLetters = ({ parameters }: { readonly parameters: URLSearchParams }) => {
  const host = parameters.get("host") ?? ""
  const cursor = parameters.get("cursor") ?? ""
  const [typed, setTyped] = useTyped(host)
  const pace = usePace()
  const { again, problem, value } = useAsked(
    DeadLetterPage,
    `/api/v1/dead-letters${query({ host, cursor, limit: 50 })}`,
    "deliveries"
  )
  const { act, busy, problem: failed } = useAction(again)
  const all = useReplay(host, again)
  const filter = host === "" ? {} : { host }
  const go = (next: Readonly<Record<string, string>>) => {
    location.hash = `/dead${query({ host: typed, ...next })}`
  }
  return (
    <section aria-labelledby="dead-title">
      <h1 id="dead-title" tabIndex={-1}>
        Dead letters
      </h1>
      <Filters label="Filter dead letters" onAsk={() => go({})}>
        <Typed name="Receiver" value={typed} placeholder="hooks.example.com" onType={setTyped} />
        <button type="submit">Filter</button>
      </Filters>
      <Failed problem={problem ?? failed ?? all.problem} />
      <p class="done" role="status">
        {all.said}
      </p>
      {value === undefined || value.dead_letters.length === 0 ? (
        problem === undefined && <NoLetters loading={value === undefined} host={host} />
      ) : (
        <>
          <ForAll
            busy={busy || all.busy}
            paceField={pace.field}
            onTell={() => void all.tell(pace.rps)}
            onForget={() => void act("/api/v1/dead-letters/purge", filter)}
          />
          <Table
            caption="Results that were not told"
            columns={["Receiver", "Reason", "Job", "Given up", "Attempts", "Do"]}
          >
            {value.dead_letters.map((letter) => (
              <Row
                key={letter.delivery_id}
                letter={letter}
                busy={busy}
                onTell={() => void act(`/api/v1/dead-letters/${encodeURIComponent(letter.delivery_id)}/replay`)}
              />
            ))}
          </Table>
        </>
      )}
      {typeof value?.next_cursor === "string" && (
        <nav class="pages" aria-label="Pages of dead letters">
          <button onClick={() => go({ cursor: value.next_cursor ?? "" })}>More</button>
        </nav>
      )}
      <Endpoints />
    </section>
  )
}

/** Counts no further than somebody would read. */
const mostCounted = 10_000

/** Tells all of a receiver again, or of all: says how many they are before, and how many went. */
const useReplay = (host: string, then: () => void) => {
  const [said, setSaid] = useState("")
  const [uncounted, setUncounted] = useState<Problem>()
  const replay = useAnswered(Replayed, ({ replayed }) => {
    setSaid(`${count(replayed)} ${replayed === 1 ? "result is" : "results are"} told again.`)
    then()
  })
  const tell = async (rps: number) => {
    setSaid("")
    setUncounted(undefined)
    const found = await letters(host).catch((cause: unknown) => {
      setUncounted(problemOf(cause))
    })
    if (found === undefined) return
    const many = `${found.isAll ? "" : "at least "}${count(found.many)} ${found.many === 1 ? "result" : "results"}`
    if (!confirm(`Tell ${many} again${host === "" ? "" : ` to ${host}`}?\n\n${takes(found.many, rps)}`)) return
    await replay.act("/api/v1/dead-letters/replay", { body: { ...(host === "" ? {} : { host }), rps } })
  }
  return { said, tell, busy: replay.busy, problem: uncounted ?? replay.problem }
}

/** How many dead letters fit. */
const letters = async (host: string) => {
  let many = 0
  let cursor: string | null = ""
  while (cursor !== null && many < mostCounted) {
    const page: typeof DeadLetterPage.Type = await ask(
      DeadLetterPage,
      `/api/v1/dead-letters${query({ host, cursor, limit: 200 })}`
    )
    many += page.dead_letters.length
    cursor = page.next_cursor
  }
  return { many, isAll: cursor === null }
}

const NoLetters = ({ host, loading }: { readonly loading: boolean; readonly host: string }) => (
  <Nothing loading={loading}>
    {host === "" ? (
      <>
        Everything was told. A result stands here once its receiver has refused it for good: submit a job with{" "}
        <code>{'"webhooks": [{ "url": "https://hooks.example.com/done" }]'}</code>, and let that answer 410.
      </>
    ) : (
      <>
        Nothing that was for this receiver is left. <a href="#/dead">Show all dead letters</a>
      </>
    )}
  </Nothing>
)

/** What is done with all of them at once. */
const ForAll = ({
  busy,
  paceField,
  onTell,
  onForget
}: {
  readonly busy: boolean
  readonly paceField: ComponentChildren
  readonly onTell: () => void
  readonly onForget: () => void
}) => (
  <p class="actions">
    <button aria-disabled={busy} onClick={onTell}>
      Tell all of these again …
    </button>
    {paceField}
    <button
      aria-disabled={busy}
      class="danger"
      onClick={() => {
        if (confirm("Forget all of these dead letters? Their results stay with their jobs.")) onForget()
      }}
    >
      Forget them
    </button>
  </p>
)

const Row = ({
  letter,
  busy,
  onTell
}: {
  readonly letter: DeadLetter
  readonly busy: boolean
  readonly onTell: () => void
}) => (
  <tr>
    <Cell name="Receiver" wide>
      {plainUrl(letter.url)}
    </Cell>
    <Cell name="Reason">{reasons[letter.reason] ?? letter.reason}</Cell>
    <Cell name="Job">
      <JobLink id={letter.job_id} />
    </Cell>
    <TimeCell name="Given up" at={letter.dead_at} />
    <Cell name="Attempts">
      <Attempts attempts={letter.attempts} />
    </Cell>
    <Cell name="Do">
      <button aria-disabled={busy} aria-label={`Tell again: ${letter.job_id}`} onClick={onTell}>
        Tell again
      </button>
    </Cell>
  </tr>
)

/** What an attempt met, each. */
export const Attempts = ({ attempts }: { readonly attempts: ReadonlyArray<DeliveryAttempt> }) => (
  <details>
    <summary aria-label={`${attempts.length} attempts`}>{attempts.length}</summary>
    <ol>
      {attempts.map(({ at, error, excerpt, latency_ms: latency, status }) => (
        <li key={at}>
          <Time at={at} />, {millis(latency)}: {status ?? error ?? "no answer"}
          {excerpt !== null && excerpt !== "" && <q>{excerpt.slice(0, 200)}</q>}
        </li>
      ))}
    </ol>
  </details>
)
