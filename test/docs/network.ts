/**
 * The network that the snippets of a page have: every host under `example.com` answers, loopback is itself, and nobody
 * else is reached.
 */
const { fetch } = globalThis

globalThis.fetch = async (input, init) => {
  const request = new Request(input, init)
  const { hostname, pathname } = new URL(request.url)
  if (hostname === "127.0.0.1" || hostname === "localhost") return fetch(request)
  if (!/(^|\.)example\.com$/.test(hostname))
    throw new TypeError(`${hostname} is not part of the documentation's network`)
  await request.arrayBuffer()
  return Response.json({ path: pathname }, { status: request.method === "POST" ? 201 : 200 })
}
