import { assert, describe, it } from "@effect/vitest"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import { checkUrl, UrlDenied } from "../../../src/dam/egress/Url.ts"

const verdict = (url: string, policy = EgressPolicy.publicOnly): string => {
  const checked = checkUrl(policy, url)
  return Result.isSuccess(checked) ? checked.success.url : checked.failure.reason
}

/** The same for every policy: how a URL is written. */
const form: ReadonlyArray<readonly [reason: string, urls: ReadonlyArray<string>]> = [
  [
    "InvalidUrl",
    [
      " http://api.example.com/",
      "http://api.example.com/ ",
      "\thttp://api.example.com/",
      "http://api.example.com/\u00a0"
    ]
  ],
  [
    "InvalidUrl",
    [
      "http://api.example.com/\r\nX: y",
      "http://api.example.com/\u007f",
      "http://api.example.com/\u0085",
      "http://api.example.com/\u2028"
    ]
  ],
  [
    "InvalidUrl",
    [
      "\ufeffhttp://api.example.com/",
      "http://api.example.com/\ud800",
      "ht\ntp://api.example.com/",
      "https://api.example.com/\\x"
    ]
  ],
  [
    "InvalidUrl",
    [
      "//api.example.com/",
      "api.example.com",
      "/v1",
      "?x",
      "http",
      "http:",
      "http:/",
      "http:/api.example.com/",
      "://x",
      "1http://x.example.com"
    ]
  ],
  [
    "InvalidUrl",
    [
      "http://?x",
      "http://#x",
      "http://:80/",
      "http://./",
      "http://../",
      "http://.example.com/",
      "http://api.example.com../"
    ]
  ],
  [
    "InvalidUrl",
    [
      "http://a-.example.com/",
      `http://${"a".repeat(64)}.example.com/`,
      "http://a*b.example.com/",
      "http://example.1/",
      "http://256.1.1.1/"
    ]
  ],
  [
    "InvalidUrl",
    [
      "http://[::1]:x/",
      "http://[::1]x/",
      "http://[::g]/",
      "http://[v1.x]/",
      "http://api.example.com:80:80/",
      "http://api.example.com:-1/"
    ]
  ],
  [
    "SchemeNotAllowed",
    [
      "file:///etc/passwd",
      "data:text/plain,x",
      "ws://api.example.com/",
      "http+unix://x/",
      "localhost:8080",
      "blob:http://x.example.com/"
    ]
  ],
  [
    "CredentialsInUrl",
    [
      "http://@api.example.com/",
      "http://:@api.example.com/",
      "http://a@b@api.example.com/",
      "https://u:p@api.example.com/"
    ]
  ],
  [
    "NonCanonicalHost",
    [
      "http://8.8.8.8./",
      "http://010.8.8.8/",
      "http://8.8.8/",
      "http://0x8.8.8.8/",
      "http://134744072/",
      "http://８.8.8.8/",
      "http://8。8。8。8/"
    ]
  ],
  ["NonCanonicalHost", ["http://%61pi.example.com/", "http://api.example%2Ecom/", "http://%38.8.8.8/"]],
  ["EmbeddedIPv4", ["http://[2606:4700:4700::0.0.17.17]/"]]
]

describe("the form of a URL", () => {
  it.each(form.flatMap(([reason, urls]) => urls.map((url) => ({ url, reason }))))(
    "$url is $reason, whatever is open",
    ({ url, reason }) => {
      assert.strictEqual(verdict(url), reason)
      assert.strictEqual(verdict(url, EgressPolicy.open), reason)
    }
  )

  it.each([
    ["http://API.Example.COM./a?b=@c#@d", "http://api.example.com/a?b=@c#@d"],
    ["HTTPS://api.example.com:443", "https://api.example.com/"],
    ["http://api.example.com:443/", "http://api.example.com:443/"],
    ["https://api.example.com:8443/%00%0d%0a", "https://api.example.com:8443/%00%0d%0a"],
    ["http://api.example.com:/", "http://api.example.com/"],
    ["http://api.example.com:08080/", "http://api.example.com:8080/"],
    ["http://api.example.com?x", "http://api.example.com/?x"],
    ["http://api.example.com#@127.0.0.1/", "http://api.example.com/#@127.0.0.1/"],
    ["https://b\u00fccher.example.com./", "https://xn--bcher-kva.example.com/"],
    ["https://_dmarc.example.com/", "https://_dmarc.example.com/"],
    ["http://[2606:4700:4700:0:0:0:0:1111]/", "http://[2606:4700:4700::1111]/"],
    ["http://[2606:4700:4700::1111]:8080/", "http://[2606:4700:4700::1111]:8080/"]
  ])("%s is read as %s", (written, read) => {
    assert.strictEqual(verdict(written), read)
  })

  it("tells where the connection goes, the default port filled in", () => {
    const of = (url: string) => {
      const { host, port, protocol } = Result.getOrThrow(checkUrl(EgressPolicy.publicOnly, url))
      return [typeof host === "string" ? host : NetAddress.formatIp(host), port, protocol]
    }
    assert.deepStrictEqual(of("https://API.example.com./x"), ["api.example.com", 443, "https:"])
    assert.deepStrictEqual(of("http://[2606:4700:4700::1111]/"), ["2606:4700:4700::1111", 80, "http:"])
    assert.deepStrictEqual(of("http://8.8.8.8:8080/"), ["8.8.8.8", 8080, "http:"])
  })

  it.prop("any text is judged, never thrown at", [Schema.String], ([text]) => {
    for (const url of [text, `http://${text}`, `https://${text}.example.com/`, `http://[${text}]/`]) {
      const checked = checkUrl(EgressPolicy.publicOnly, url)
      if (Result.isFailure(checked)) assert.instanceOf(checked.failure, UrlDenied)
      // what passed reads back as itself: two readers see one destination
      else assert.strictEqual(verdict(checked.success.url), checked.success.url)
    }
  })
})

describe("a refusal", () => {
  const messageOf = (url: string) =>
    Result.match(checkUrl(EgressPolicy.publicOnly, url), { onFailure: ({ message }) => message, onSuccess: () => "" })

  it("names the host and what to do", () => {
    assert.strictEqual(
      messageOf("http://10.0.0.1/"),
      "DeniedAddress: 10.0.0.1 leads to an address that is not public; to allow it, start the dam with --allow-egress 10.0.0.1, or with --allow-private for all private and loopback addresses"
    )
    assert.strictEqual(
      messageOf("http://API.example.com:22/"),
      "PortNotAllowed: api.example.com may be called on ports 80, 443, 8080 and 8443 only; to allow it, start the dam with --allow-egress api.example.com"
    )
  })

  it("repeats no credentials and no query", () => {
    for (const url of ["http://user:hunter2@api.example.com/?key=hunter2", "http://localhost/?key=hunter2"]) {
      assert.notInclude(messageOf(url), "hunter2")
    }
  })
})
