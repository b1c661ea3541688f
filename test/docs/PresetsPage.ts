/** The reference of presets, from the presets themselves. */
import * as LaneRule from "../../src/presets/LaneRule.ts"
import type { BodyWait, Cost, Limit, Preset, TooMany, UsedUp, Wider } from "../../src/presets/Preset.ts"
import * as Presets from "../../src/presets/Presets.ts"

const code = (text: string): string => `\`${text}\``

const list = (names: string | ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  names === undefined ? [] : typeof names === "string" ? [names] : names

const limitLine = (limit: Limit): string => {
  switch (limit.dialect) {
    case "headers": {
      const told = [
        ...list(limit.limit),
        ...list(limit.remaining),
        ...list(limit.used),
        ...(limit.reset ?? []).map(({ header, in: notation }) => `${header} (${notation})`)
      ]
      return told.map(code).join(", ")
    }
    case "pair":
      return code(`${limit.header}: ${limit.key === undefined ? "" : `${limit.key}=`}used/limit`)
    case "keys":
      return `keys in ${code(limit.header)}`
    case "body":
      return [limit.limit, limit.remaining].flatMap((path) => (path === undefined ? [] : [code(path)])).join(", ")
    case "common":
      return "the common headers"
  }
}

const ruleLine = (rule: TooMany | UsedUp): string => {
  const parts = [
    ...(rule.status === undefined ? [] : [rule.status.join(" or ")]),
    ...Object.entries(rule.headers ?? {}).map(([name, value]) => code(`${name}: ${value}`)),
    ...(rule.body ?? []).map(({ has, is, path }) => {
      const at = path === undefined ? "a body" : code(path)
      if (is === "") return "an empty body"
      if (is !== undefined) return `${at} ${(typeof is === "object" ? is : [is]).map(String).map(code).join(" or ")}`
      return has === undefined ? at : `"${has}" in ${at}`
    }),
    ...(rule.exhausted === true ? ["nothing left"] : []),
    ...(rule.announced === true ? ["a wait announced"] : [])
  ]
  const until = "until" in rule ? (rule.until === "told" ? ", until it says" : ", until midnight UTC") : ""
  const wait = "wait_seconds" in rule ? `, then ${rule.wait_seconds} s where nothing else is told` : ""
  return parts.join(" with ") + until + wait
}

const widerLine = ({ lanes, ...rule }: Wider): string =>
  `${ruleLine(rule)}: ${lanes === "host" ? "all lanes of the host" : "all lanes of the credential"}`

const costLine = (cost: Cost): string => ("header" in cost ? code(cost.header) : cost.sum.map(code).join(" + "))

const waitLine = (wait: BodyWait): string =>
  "path" in wait ? code(wait.path) : `what is missing of ${code(wait.needed)}, at ${code(wait.per_second)}`

const rows = (preset: Preset): ReadonlyArray<readonly [string, string]> => [
  ["hosts", preset.hosts.map(code).join(", ")],
  ["limits belong to", code(LaneRule.nameOf(preset))],
  ["credential in", (preset.credential ?? []).map(code).join(", ")],
  [
    "limits told in",
    preset.limits === undefined
      ? "nothing that is known; the common headers are read"
      : preset.limits.map(limitLine).join("; ")
  ],
  ["refuses, beside 429", (preset.too_many ?? []).map(ruleLine).join("; ")],
  ["used up", (preset.used_up ?? []).map(ruleLine).join("; ")],
  ["refusals that hold more", (preset.wider ?? []).map(widerLine).join("; ")],
  ["wait in the body", (preset.body_wait ?? []).map(waitLine).join("; ")],
  ["cost in", (preset.cost ?? []).map(costLine).join(", or ")],
  [
    "safe to repeat with",
    preset.idempotency === undefined
      ? ""
      : `${code(preset.idempotency.header)} on ${preset.idempotency.methods.join(", ")}`
  ]
]

const section = (preset: Preset): string =>
  [
    `## ${preset.title ?? preset.name}`,
    [
      "| " + code(preset.name) + " | |",
      "| --- | --- |",
      ...rows(preset)
        .filter(([, text]) => text !== "")
        .map(([name, text]) => `| ${name} | ${text} |`)
    ].join("\n"),
    (preset.advice ?? []).map((sentence) => `- ${sentence}`).join("\n")
  ].join("\n\n")

export const presetsPage = (): string =>
  [
    "# Presets",
    "What is known of each provider, as `ezthrottle presets show` has it. What is told in answers wins over what stands here. Written from `src/presets`; a test compares. How to use them stands in [the guide](../guide/presets.md).",
    ...Presets.all.map(section)
  ].join("\n\n") + "\n"
