/**
 * Notices a proxy that hides the name a request was made to, and calls the dam by the dam's own address instead.
 *
 * Nothing is refused for it: from here it looks like a caller on this machine. But then `Host` keeps no stranger out of a
 * dam without keys, and the page cannot change anything, because its own origin looks like another site's.
 */
import type { IncomingHttpHeaders } from "node:http"
import { isLoopbackName } from "./Request.ts"

/** What an operator is told, once. */
export const warning =
  "a proxy hides from this dam the name that it is called by: it says Host is a loopback address. Without keys " +
  "everybody whom the proxy lets through may do everything, and the page can change nothing. Let it pass Host on " +
  "(nginx: proxy_set_header Host $http_host)"

/** Makes what answers `true` for the first request that comes in this way, and never again. */
export const makeNotice = (): ((request: { readonly headers: IncomingHttpHeaders }) => boolean) => {
  let noticed = false
  return ({ headers }) => {
    if (noticed || !isPassedOn(headers) || !isLoopbackName(headers.host ?? "")) return false
    noticed = true
    return true
  }
}

/** What proxies say of a request; the name that was called is only hidden where none of it repeats `Host`. */
const isPassedOn = (headers: IncomingHttpHeaders): boolean => {
  const named = headers["x-forwarded-host"]
  return named === undefined ? MARKS.some((name) => headers[name] !== undefined) : named !== headers.host
}

const MARKS = ["x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "via"]
