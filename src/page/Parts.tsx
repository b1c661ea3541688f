/** Small things that several views show. */
import type { ComponentChildren } from "preact"
import type { Problem } from "./Api.ts"
import { exactly, moment } from "./Format.ts"

export const State = ({ name }: { readonly name: string }) => (
  <span class={`state state-${name}`}>{name.replaceAll("_", " ")}</span>
)

export const Time = ({ at }: { readonly at: number | null | undefined }) =>
  at === null || at === undefined ? (
    <span class="faint">–</span>
  ) : (
    <time dateTime={exactly(at)} title={exactly(at)}>
      {moment(at)}
    </time>
  )

export const Failed = ({ problem }: { readonly problem: Problem | string | undefined }) =>
  problem === undefined ? null : (
    <p class="problem" role="alert">
      {typeof problem === "string" ? problem : problem.message}
    </p>
  )

/** What stands where nothing is: still loading, or nothing to show. */
export const Nothing = ({ loading, children }: { readonly loading: boolean; readonly children: ComponentChildren }) => (
  <p class="nothing">{loading ? "Loading…" : children}</p>
)

export const Fact = ({ name, children }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div class="fact">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

/** A table that becomes a list of cards on a phone: each cell carries its column's name. */
export const Table = ({
  caption,
  columns,
  children
}: {
  readonly caption: string
  readonly columns: ReadonlyArray<string>
  readonly children: ComponentChildren
}) => (
  <table>
    <caption class="unseen">{caption}</caption>
    <thead>
      <tr>
        {columns.map((name) => (
          <th scope="col" key={name}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>{children}</tbody>
  </table>
)

export const Cell = ({
  name,
  children,
  wide = false
}: {
  readonly name: string
  readonly children: ComponentChildren
  readonly wide?: boolean
}) => (
  <td data-name={name} class={wide ? "wide" : undefined}>
    {children}
  </td>
)
