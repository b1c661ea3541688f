/** A job's request as something to paste elsewhere. */
import type { Job } from "./Api.ts"

/** How many bytes of a body the dam does not show. */
export const cutFrom = ({ body = "", body_bytes: whole = 0 }: Job["request"]): number =>
  Math.max(0, whole - new TextEncoder().encode(body).length)

/** What a secret stands as that the dam keeps to itself. */
export const redacted = "<redacted>"

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const warning = (request: Job["request"], mark: string): ReadonlyArray<string> => [
  ...(cutFrom(request) > 0 ? [`${mark} the dam shows no more of the body: ${cutFrom(request)} bytes are missing`] : []),
  ...(Object.values(request.headers).includes(redacted)
    ? [`${mark} fill in what stands as ${redacted}: the dam keeps it to itself`]
    : [])
]

export const asCurl = ({ request }: Job): string => {
  const { body, headers, method, url } = request
  return [
    ...warning(request, "#"),
    [
      `curl -X ${method} ${quoted(url)}`,
      ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
      ...(body === undefined ? [] : [`--data-raw ${quoted(body)}`])
    ].join(" \\\n  ")
  ].join("\n")
}

const indented = (value: unknown): string => JSON.stringify(value, undefined, 2).replaceAll("\n", "\n  ")

export const asStep = ({ limits = [], metadata, request }: Job): string => {
  const { body, headers, method, url } = request
  const verbs = [
    ...(Object.keys(metadata).length > 0 ? [`Step.metadata(${indented(metadata)})`] : []),
    ...limits.map(({ name, ...said }) => `Step.limit(${JSON.stringify(name)}, ${JSON.stringify(said)})`)
  ]
  return [
    `import { EZThrottle, Step } from "ezthrottle-effect"`,
    "",
    ...warning(request, "//"),
    `const step = Step.make(${JSON.stringify(url)}, {`,
    `  method: ${JSON.stringify(method)},`,
    `  headers: ${indented(headers)}${body === undefined ? "" : ","}`,
    ...(body === undefined ? [] : [`  body: ${JSON.stringify(body)}`]),
    `})${verbs.length > 0 ? `.pipe(${verbs.join(", ")})` : ""}`,
    "",
    "const program = EZThrottle.execute(step)",
    ""
  ].join("\n")
}
