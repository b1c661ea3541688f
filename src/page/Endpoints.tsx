/** Receivers that fail, and how to take a disabled one up again. */
import { away, count, plainUrl } from "./Format.ts"
import * as Shapes from "../dam/api/DeliveryShapes.ts"
import { useAction, useAsked } from "./Hooks.ts"
import { Cell, Failed, State, Table, TimeCell } from "./Parts.tsx"

const reasons: Readonly<Record<string, string>> = { gone: "it answered 410, gone", failing: "it failed for a day" }

export const Endpoints = () => {
  const { again, problem, value } = useAsked(Shapes.Endpoints, "/api/v1/endpoints", "deliveries")
  const { act, busy, problem: failed } = useAction(again)
  if (value?.endpoints.length === 0) return null
  return (
    <section aria-labelledby="endpoints-title">
      <h2 id="endpoints-title">Receivers that fail</h2>
      <Failed problem={problem ?? failed} />
      {value !== undefined && (
        <Table caption="Receivers that fail" columns={["Receiver", "State", "Failures in a row", "Since", "Do"]}>
          {value.endpoints.map(({ failures, probe_at: probe, reason, since, status, url }) => (
            <tr key={url}>
              <Cell name="Receiver" wide>
                {plainUrl(url)}
              </Cell>
              <Cell name="State">
                <State name={status === "disabled" ? "disabled" : "failing"} />
                {reason !== null && <span class="faint line">{reasons[reason] ?? reason}</span>}
                {probe !== null && <span class="faint line">tried again {away(probe)}</span>}
              </Cell>
              <Cell name="Failures in a row">{count(failures)}</Cell>
              <TimeCell name="Since" at={since} />
              <Cell name="Do">
                {status === "disabled" ? (
                  <button
                    aria-disabled={busy}
                    aria-label={`Enable ${plainUrl(url)}`}
                    onClick={() => void act("/api/v1/endpoints/enable", { url })}
                  >
                    Enable
                  </button>
                ) : (
                  <span class="faint">–</span>
                )}
              </Cell>
            </tr>
          ))}
        </Table>
      )}
    </section>
  )
}
