/** What operators are told: what is not over, what was sent and whether it arrived, and who is told what from when on. */
import { Notices as Shape } from "../dam/api/NoticeShapes.ts"
import type { Delivery } from "./Api.ts"
import { Attempts } from "./DeadLetters.tsx"
import { away, bytes, count, laneHref } from "./Format.ts"
import { useAsked } from "./Hooks.ts"
import { NoticeForm } from "./NoticeForm.tsx"
import { Cell, Failed, Nothing, State, Table, Time, TimeCell } from "./Parts.tsx"
import { events, type Now } from "./Telling.ts"

export const Notices = () => {
  const { again, problem, value: now } = useAsked(Shape, "/api/v1/notices", "deliveries")
  return (
    <section aria-labelledby="notices-title">
      <h1 id="notices-title" tabIndex={-1}>
        Notices
      </h1>
      <Failed problem={problem} />
      {now === undefined ? (
        problem === undefined && <Nothing loading>{null}</Nothing>
      ) : (
        <>
          {now.urls.length === 0 && now.sent.length === 0 ? <Nobody /> : <Sent now={now} />}
          <Open now={now} />
          <Failing now={now} />
          <NoticeForm
            now={now}
            done={() => {
              again()
              // the dam looks around at once, and tells what it finds
              setTimeout(again, soon)
            }}
          />
        </>
      )}
    </section>
  )
}

const soon = 2000

const example = `{
  "type": "notice",
  "event": "lane_held",
  "state": "begun",
  "details": { "lane": "api.example.com:443", "held_until": 1764316046000 }
}`

/** What stands where nobody is told anything. */
const Nobody = () => (
  <section class="nothing" aria-label="How to begin">
    <p>
      Nobody is told anything. Name a URL below, and this dam posts to it once when something begins and once when it is
      over: signed, repeated until it is taken, told once over restarts. Or from a program:
    </p>
    <pre class="message" tabIndex={0} role="region" aria-label="An example">
      {`curl -X PUT ${location.origin}/api/v1/notices -H 'content-type: application/json' \\
  -d '{"urls":["https://ops.example.com/ezthrottle"]}'`}
    </pre>
    <p>What arrives there:</p>
    <pre class="message" tabIndex={0} role="region" aria-label="An example of a notice">
      {example}
    </pre>
  </section>
)

const Sent = ({ now: { sent } }: { readonly now: Now }) => (
  <section aria-labelledby="sent-title">
    <h2 id="sent-title">
      Sent last <span class="faint">the newest first</span>
    </h2>
    {sent.length === 0 ? (
      <Nothing loading={false}>Nothing had to be told yet.</Nothing>
    ) : (
      <Table caption="Notices that were sent, the newest first" columns={["When", "What", "Details", "Told"]}>
        {sent.map(({ at, deliveries, details, event, id, state }) => (
          <tr key={id}>
            <TimeCell name="When" at={at} />
            <Cell name="What">
              {events[event] ?? event} <State name={state} />
            </Cell>
            <Cell name="Details" wide>
              <Details details={details} isBytes={event.endsWith("_bytes")} />
            </Cell>
            <Cell name="Told" wide>
              {deliveries.map((delivery) => (
                <Told key={delivery.delivery_id} delivery={delivery} />
              ))}
            </Cell>
          </tr>
        ))}
      </Table>
    )}
  </section>
)

interface DetailsOptions {
  readonly details: Now["sent"][number]["details"]
  readonly isBytes: boolean
}

const Details = ({ details: { lane, mark, origin, value, ...details }, isBytes }: DetailsOptions) => {
  const amount = (of: unknown) => (typeof of !== "number" ? "" : isBytes ? bytes(of) : count(of))
  return (
    <>
      {typeof lane === "string" && <a href={laneHref(lane)}>{lane}</a>}
      {typeof origin === "string" && origin}
      {value !== undefined && `${amount(value)}, the mark is ${amount(mark)}`}
      {typeof details["failures"] === "number" && `, ${count(details["failures"])} failures in a row`}
      {typeof details["customer_id"] === "string" && <span class="faint line">of {details["customer_id"]}</span>}
      {typeof details["held_until"] === "number" && (
        <span class="faint line">
          until <Time at={details["held_until"]} />
        </span>
      )}
    </>
  )
}

/** Where a notice has got to at one of its receivers. */
const Told = ({ delivery: { attempts, due_at: due, status, url } }: { readonly delivery: Delivery }) => {
  const last = attempts.at(-1)
  return (
    <div class="line">
      <State name={status} /> {url}
      {status !== "delivered" && last !== undefined && (
        <span class="faint"> {last.status === null ? (last.error ?? "no answer") : `answered ${last.status}`}</span>
      )}
      {status === "pending" && due !== null && <span class="faint">, again {away(due)}</span>}
      {attempts.length > 1 && <Attempts attempts={attempts} />}
    </div>
  )
}

const Open = ({ now: { open } }: { readonly now: Now }) =>
  open.length === 0 ? null : (
    <section aria-labelledby="open-title">
      <h2 id="open-title">Told, and not over</h2>
      <Table caption="What was told and is not over" columns={["What", "State", "Since"]}>
        {open.map(({ phase, since, subject }) => (
          <tr key={subject}>
            <Cell name="What" wide>
              {events[subject] ?? subject}
            </Cell>
            <Cell name="State">
              <State name={phase} />
            </Cell>
            <TimeCell name="Since" at={since} />
          </tr>
        ))}
      </Table>
    </section>
  )

const Failing = ({ now: { endpoints } }: { readonly now: Now }) =>
  endpoints.length === 0 ? null : (
    <section aria-labelledby="failing-title">
      <h2 id="failing-title">Receivers of notices that fail</h2>
      <p class="faint">Nobody is told of these: a notice would go where none arrives.</p>
      <Table caption="Receivers of notices that fail" columns={["Receiver", "State", "Failures in a row", "Since"]}>
        {endpoints.map(({ failures, since, status, url }) => (
          <tr key={url}>
            <Cell name="Receiver" wide>
              {url}
            </Cell>
            <Cell name="State">
              <State name={status === "disabled" ? "disabled" : "failing"} />
            </Cell>
            <Cell name="Failures in a row">{count(failures)}</Cell>
            <TimeCell name="Since" at={since} />
          </tr>
        ))}
      </Table>
    </section>
  )
