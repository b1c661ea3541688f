/** What somebody types for a lane: a host, with a port or without, or an address copied from somewhere. */
import { LanePage } from "../dam/api/LaneShapes.ts"
import { ask, query } from "./Api.ts"

const ports: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" }

/** Of more ports than these nobody means one. */
const portsAtMost = 20

/** The lane of this host that is called most. */
const laneOf = async (host: string): Promise<string | undefined> => {
  const { lanes } = await ask(LanePage, `/api/v1/lanes${query({ prefix: `${host}:`, limit: portsAtMost })}`)
  return lanes.toSorted((one, other) => other.calls - one.calls)[0]?.lane
}

/** A host without its port is that of a lane which the dam has; where it has none, the one of https. */
export const laneTyped = async (typed: string): Promise<string> => {
  const text = typed.trim().toLowerCase()
  if (text === "" || text.includes("@")) return text
  const isWhole = text.includes("://")
  const url = URL.parse(isWhole ? text : `https://${text}`)
  if (url === null || url.hostname === "") return text
  // the port that a scheme has anyway is taken away when it is read
  const port = url.port !== "" ? url.port : text.endsWith(":443") ? "443" : isWhole ? ports[url.protocol] : undefined
  if (port !== undefined) return `${url.hostname}:${port}`
  return (await laneOf(url.hostname).catch(() => undefined)) ?? `${url.hostname}:443`
}
