/** The name of a lane as people write it in a configuration. */
import { laneOf } from "./JobKey.ts"

/**
 * Names the lane of `api.example.com` (https), `localhost:3000` or `http://localhost`; `undefined` when it is none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const canonicalLane = (host: string): string | undefined => {
  const url = URL.parse(host.includes("://") ? host : `https://${host}`)
  const isOrigin =
    url !== null &&
    (url.protocol === "https:" || url.protocol === "http:") &&
    url.hostname !== "" &&
    url.pathname + url.search + url.hash + url.username + url.password === "/"
  return isOrigin ? laneOf(url.href) : undefined
}
