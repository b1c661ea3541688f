/** Where a dam is, given as one URL: it is its own proxy, and on this machine it asks for no key. */

/** What is wrong with a dam's URL; `undefined` when it can be one. */
export const problemOf = (dam: unknown): string | undefined =>
  typeof dam === "string" && /^https?:\/\/[^/?#@\s]+\/*$/i.test(dam.trim()) && URL.canParse(dam.trim())
    ? undefined
    : `${expected}, the address that a dam tells when it starts`

const expected = "Expected the http:// or https:// URL of a dam, such as http://127.0.0.1:8080"

/** Whether a URL stays on this machine. */
export const isLoopback = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const { hostname } = new URL(url)
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}
