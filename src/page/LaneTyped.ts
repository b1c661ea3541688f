/** What somebody types for a lane: a host, with a port or without, or an address copied from somewhere. */
import { live } from "./Live.ts"

const ports: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" }

/** A host without its port is that of a lane the dam has told of; where it has not, the one of https. */
export const laneTyped = (typed: string): string => {
  const text = typed.trim().toLowerCase()
  if (text === "" || live.lanes().has(text) || text.includes("@")) return text
  const isWhole = text.includes("://")
  const url = URL.parse(isWhole ? text : `https://${text}`)
  if (url === null || url.hostname === "") return text
  // the port that a scheme has anyway is taken away when it is read
  const port = url.port !== "" ? url.port : text.endsWith(":443") ? "443" : isWhole ? ports[url.protocol] : undefined
  if (port !== undefined) return `${url.hostname}:${port}`
  const known = Array.from(live.lanes().values()).filter(({ lane }) => lane.startsWith(`${url.hostname}:`))
  return known.toSorted((one, other) => other.calls - one.calls)[0]?.lane ?? `${url.hostname}:443`
}
