/**
 * A way through an HTTP proxy to an address that was checked here.
 *
 * The proxy is asked for the address and never for the name: asked for a name it would resolve it again, and could be led
 * to where the egress policy forbids to go.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import { request } from "node:http"
import type { Socket } from "node:net"
import { isShortage } from "../../transport/Causes.ts"
import type { Addresses } from "./Resolver.ts"
import type { Proxy } from "./Region.ts"

/** How many addresses of a target a proxy is asked for, one after the other. */
const maxTries = 3

/** Opens a way to the first address that the proxy can reach. Nothing is left open when it fails or is interrupted. */
export const open = (
  proxy: Proxy,
  addresses: Addresses,
  port: number,
  limit: Duration.Duration
): Effect.Effect<Socket, Error> =>
  Effect.gen(function* () {
    for (const [index, address] of addresses.slice(0, maxTries).entries()) {
      const answer = yield* ask(proxy, NetAddress.isIpv4Address(address) ? at(address, port) : at6(address, port))
      if (answer.status >= 200 && answer.status < 300) return answer.socket
      answer.socket.destroy()
      if (answer.status === 401 || answer.status === 407) return yield* failed(uninvited(proxy, answer.status))
      const isLast = index === Math.min(maxTries, addresses.length) - 1
      if (isLast || answer.status < 500) return yield* failed(`opened no way to the target (${answer.status})`)
    }
    return yield* failed("has no address to open a way to")
  }).pipe(
    Effect.timeoutOrElse({ duration: limit, orElse: () => failed(`opened no way within ${Duration.format(limit)}`) })
  )

/** Some proxies say 401 to credentials that are wrong, and 407 only to none. */
const uninvited = ({ authorization }: Proxy, status: number): string =>
  authorization === undefined
    ? `wants credentials and was given none (${status}); name them in its URL: http://user:password@host:port`
    : `refuses the credentials that it is given (${status})`

const at = (address: NetAddress.IpAddress, port: number): string => `${NetAddress.formatIp(address)}:${port}`
const at6 = (address: NetAddress.IpAddress, port: number): string => `[${NetAddress.formatIp(address)}]:${port}`

interface Answer {
  readonly status: number
  readonly socket: Socket
}

const ask = ({ authorization, host, port }: Proxy, authority: string): Effect.Effect<Answer, Error> =>
  Effect.callback<Answer, Error>((resume) => {
    const asked = request({
      host,
      port,
      method: "CONNECT",
      path: authority,
      agent: false,
      headers: {
        Host: authority,
        ...(authorization === undefined ? {} : { "Proxy-Authorization": Redacted.value(authorization) })
      }
    })
    // nothing of a proxy's own words is told: they may describe the operator's network
    asked.on("error", (cause: NodeJS.ErrnoException) =>
      resume(
        isShortage(cause.code ?? "")
          ? Effect.fail(Object.assign(new Error("no way to the proxy of this region"), { code: cause.code }))
          : failed(cause.code?.startsWith("HPE_") === true ? "does not speak HTTP" : "cannot be reached, or hung up")
      )
    )
    asked.on("connect", ({ statusCode = 0 }, socket: Socket, head: Buffer) => {
      // until somebody else listens, an error would end the process
      socket.on("error", () => {})
      if (head.length > 0) socket.unshift(head)
      resume(Effect.succeed({ status: statusCode, socket }))
    })
    asked.end()
    return Effect.sync(() => asked.destroy())
  })

const failed = (problem: string) =>
  Effect.fail(Object.assign(new Error(`the proxy of this region ${problem}`), { code: "EZ_PROXY" }))
