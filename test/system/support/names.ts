/** Read before a dam: every name below `example` is this machine, so that lanes have names as they have in life. */
import dns from "node:dns"
import { syncBuiltinESMExports } from "node:module"

const { lookup } = dns.promises

const isOurs = (name: unknown): boolean => typeof name === "string" && name.endsWith(".example")

Object.assign(dns.promises, {
  lookup: (name: string, options: { readonly all?: boolean }) => {
    const address = { address: "127.0.0.1", family: 4 }
    return isOurs(name) ? Promise.resolve(options.all === true ? [address] : address) : lookup(name, options)
  }
})

const plain = dns.lookup
Object.assign(dns, {
  lookup: (name: string, options: dns.LookupAllOptions, done: (...answer: ReadonlyArray<unknown>) => void) => {
    if (!isOurs(name)) return plain(name, options, done)
    if (options.all) done(null, [{ address: "127.0.0.1", family: 4 }])
    else done(null, "127.0.0.1", 4)
    return undefined
  }
})
syncBuiltinESMExports()
