/** What a dam says when it has started. */
import * as Output from "../output/Output.ts"
import * as EgressPolicy from "../../dam/egress/EgressPolicy.ts"

export interface Started {
  readonly version: string
  readonly url: string
  readonly data: string
  /** How many customers have keys; `undefined` without keys. */
  readonly customers: number | undefined
  readonly policy: EgressPolicy.EgressPolicy
  readonly regions: ReadonlyArray<readonly [name: string, kind: string]>
  readonly l8: string | undefined
  readonly pace: string
  /** There where the file is a copy: of which moment, and how old in milliseconds. */
  readonly copy: { readonly at: number; readonly age: number } | undefined
  readonly millis: number
}

/** The lines, one below the other. */
export const banner = (self: Started): string =>
  [
    `ezthrottle dam ${self.version}`,
    `  listening  ${self.url}`,
    "  page       the same address, in a browser",
    `  data       ${self.data}`,
    `  callers    ${self.customers === undefined ? "this machine, without keys" : `${self.customers} customer${self.customers === 1 ? "" : "s"} with keys`}`,
    `  egress     ${EgressPolicy.describe(self.policy)}`,
    // whoever tries it on a machine of their own has a target there
    ...(self.customers === undefined && !self.policy.allowPrivate && !EgressPolicy.isEverything(self.policy)
      ? [
          "             jobs may not call localhost or private addresses; start with --allow-private to let them,",
          "             or with --allow-egress HOST for one host"
        ]
      : []),
    ...(self.regions.length === 0
      ? []
      : [`  regions    ${self.regions.map(([name, kind]) => `${name} ${kind}`).join(", ")}; others leave from here`]),
    ...(self.l8 === undefined ? [] : [`  l8         ${self.l8}`]),
    `  pace       ${self.pace}`,
    ...(self.copy === undefined
      ? []
      : [
          `  COPY       made ${Output.span(self.copy.age)} ago (${Output.time(self.copy.at)}); nothing is sent or taken until it is started with --resume-copy`
        ]),
    `ready after ${self.millis} ms; Ctrl-C stops it`
  ].join("\n")
