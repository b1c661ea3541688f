import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { failureOf } from "../../src/transport/Causes.ts"
import { cutShort } from "../../src/transport/CutShort.ts"

const coded = (code: string, fields: object = {}) =>
  Object.assign(new Error(`GET http://x/?token=secret`), { code }, fields)

/** As `fetch` wraps it. */
const fetchFailed = (cause: unknown) => new TypeError("fetch failed", { cause })

describe("failureOf", () => {
  const kinds = {
    refused: ["ECONNREFUSED"],
    notFound: ["ENOTFOUND", "EAI_NONAME"],
    unreachable: ["EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_PRX_CONN"],
    reset: ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"],
    shortage: ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EADDRNOTAVAIL", "EAI_AGAIN"],
    other: ["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_DESTROYED", "E_NEVER_HEARD_OF"]
  }
  for (const [kind, codes] of Object.entries(kinds)) {
    for (const code of codes) {
      it(`reads ${code} as ${kind}, bare or wrapped, and quotes no URL`, () => {
        const wrappings = [coded(code), fetchFailed(coded(code)), { reason: { cause: fetchFailed(coded(code)) } }]
        for (const cause of wrappings) {
          const failure = failureOf(cause)
          assert(failure._tag === "ConnectionFailed" && failure.kind === kind, failure.message)
          assert.include(failure.detail, code)
          assert.notInclude(failure.message, "secret")
        }
      })
    }
  }

  it("reads several addresses as a shortage only where none has failed for a reason of its own", () => {
    const several = (...codes: ReadonlyArray<string>) =>
      Object.assign(new AggregateError(codes.map((code) => coded(code))), { code: codes[0] })
    const kindOf = (cause: unknown) => {
      const failure = failureOf(cause)
      return failure._tag === "ConnectionFailed" ? failure.kind : failure._tag
    }
    assert.strictEqual(kindOf(several("EADDRNOTAVAIL", "EADDRNOTAVAIL")), "shortage")
    assert.strictEqual(kindOf(fetchFailed(several("EADDRNOTAVAIL", "EADDRNOTAVAIL"))), "shortage")
    // a host without IPv6 has no address to connect from there, which is not why the call failed
    assert.notStrictEqual(kindOf(several("EADDRNOTAVAIL", "ECONNREFUSED")), "shortage")
    assert.notStrictEqual(kindOf(several("ECONNREFUSED", "EADDRNOTAVAIL")), "shortage")
  })

  const tls = {
    expired: ["CERT_HAS_EXPIRED"],
    issuer: [
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
    ],
    name: ["ERR_TLS_CERT_ALTNAME_INVALID"],
    other: ["ERR_SSL_UNSUPPORTED_PROTOCOL", "EPROTO", "CERT_REVOKED"]
  }
  for (const [kind, codes] of Object.entries(tls)) {
    for (const code of codes) {
      it(`reads ${code} as TLS that cannot be trusted (${kind}), bare or wrapped`, () => {
        for (const cause of [coded(code), fetchFailed(coded(code))]) {
          const failure = failureOf(cause)
          assert(failure._tag === "TlsError" && failure.kind === kind, failure.message)
          assert.include(failure.detail, code)
          assert.notInclude(failure.message, "secret")
        }
      })
    }
  }

  const tags = { UND_ERR_HEADERS_OVERFLOW: "HeadersTooLarge", Z_DATA_ERROR: "InvalidEncoding" }
  for (const [code, tag] of Object.entries(tags)) {
    it(`reads ${code} as ${tag}`, () => {
      assert.strictEqual(failureOf(fetchFailed(coded(code)))._tag, tag)
    })
  }

  for (const code of ["HPE_INVALID_CONSTANT", "HPE_INVALID_CHUNK_SIZE"]) {
    it(`reads ${code} as an invalid response`, () => {
      assert.strictEqual(failureOf(fetchFailed(coded(code)))._tag, "InvalidResponse")
    })
  }

  for (const code of ["UND_ERR_INVALID_ARG", "ERR_INVALID_CHAR", "ERR_INVALID_URL"]) {
    it(`reads ${code} as a request that cannot be sent`, () => {
      assert.strictEqual(failureOf(coded(code, { message: "invalid x-name header" }))._tag, "Unsendable")
    })
  }

  it("names the address that was tried", () => {
    const failure = failureOf(fetchFailed(coded("ECONNREFUSED", { address: "127.0.0.1", port: 8080 })))
    assert.include(failure.message, "127.0.0.1:8080")
  })

  it("names the host that has no address", () => {
    assert.include(failureOf(coded("ENOTFOUND", { hostname: "api.exmaple.com" })).message, "api.exmaple.com")
  })

  it("reads all the addresses that were tried as one failure", () => {
    const tried = new AggregateError([coded("ECONNREFUSED", { address: "::1", port: 80 }), coded("ECONNREFUSED")])
    const failure = failureOf(fetchFailed(tried))
    assert(failure._tag === "ConnectionFailed" && failure.kind === "refused")
    assert.include(failure.detail, "::1:80")
  })

  it("shows the beginning of what is not HTTP at all", () => {
    const cause = Object.assign(new Error("Response does not match the HTTP/1.1 protocol (Expected HTTP/)"), {
      name: "HTTPParserError",
      code: undefined,
      data: "220 mail.example.com ESMTP\r\nmore"
    })
    const failure = failureOf(cause)
    assert.strictEqual(failure._tag, "InvalidResponse")
    assert.include(failure.message, `"220 mail.example.com ESMTP"`)
  })

  it("shows nothing of headers that are broken", () => {
    const cause = coded("HPE_INVALID_HEADER_TOKEN", { message: "Invalid header token", data: "session=secret" })
    assert.notInclude(failureOf(cause).message, "secret")
  })

  const worded = {
    "tcp connect error: Connection refused (os error 111)": "refused",
    "dns error: failed to lookup address information": "notFound",
    "Network connection lost.": "reset"
  }
  for (const [wording, kind] of Object.entries(worded)) {
    it(`understands runtimes without codes: ${wording}`, () => {
      const failure = failureOf(new TypeError(`error sending request for http://x/?token=secret: ${wording}`))
      assert(failure._tag === "ConnectionFailed" && failure.kind === kind, failure.message)
      assert.notInclude(failure.message, "secret")
    })
  }

  it("understands certificates that are refused in words", () => {
    assert.strictEqual(failureOf(new TypeError("invalid peer certificate: Expired"))._tag, "TlsError")
  })

  const strange: Readonly<Record<string, unknown>> = {
    nothing: undefined,
    null: null,
    "a text": "http://x/?token=secret",
    "a number": 42,
    "an empty object": {},
    "a code that is no text": { code: 7 },
    "a code named like a method of objects": { code: "toString" },
    "an object whose fields throw": new Proxy(
      {},
      {
        get: () => {
          throw new Error("secret")
        }
      }
    ),
    "a circle": (() => {
      const circle: { cause?: unknown } = {}
      circle.cause = circle
      return circle
    })()
  }
  for (const [what, cause] of Object.entries(strange)) {
    it(`has a failure for ${what}`, () => {
      const failure = failureOf(cause)
      assert(failure._tag === "ConnectionFailed" && failure.kind === "other")
      assert.notInclude(failure.message, "secret")
    })
  }

  it.prop("has a failure for whatever is thrown", { cause: Schema.Json }, ({ cause }) => {
    assert.include(["ConnectionFailed", "InvalidResponse", "Unsendable"], failureOf(cause)._tag)
  })
})

describe("cutShort", () => {
  it("says how much of how much arrived", () => {
    assert.include(cutShort(200, 10, 100).message, "status 200 and 10 of the 100 bytes announced")
  })

  it("leaves out what is not known", () => {
    assert.include(cutShort(200, 10, undefined).message, "status 200 and 10 bytes of a body whose end never came")
    assert.include(cutShort(200, undefined, 100).message, "status 200 and not all of the 100 bytes announced")
  })
})
