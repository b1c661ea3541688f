import { assert, describe, it } from "@effect/vitest"
import * as Rules from "../../src/step/FieldRules.ts"

describe("the rule of a URL", () => {
  const told = [
    [
      "http://h",
      "HTTPS://H/",
      "http:h",
      "https:/h",
      "http:///h",
      " http://h",
      "ht\ntp://h",
      "http://h\t/",
      "http://[::1]:8/"
    ],
    [
      "",
      "h",
      "//h",
      "http:",
      "http://",
      "https:///",
      "ftp://h/",
      "httpx://h",
      "xhttp://h",
      "http://h:99999",
      "http://a b/"
    ]
  ] as const
  it("takes what the parser reads as http or https with a host, and nothing else", () => {
    for (const [at, urls] of told.entries()) {
      for (const url of urls) {
        const parsed = URL.parse(url)
        const byParser = parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.hostname !== ""
        assert.strictEqual(Rules.url.holds(url), byParser, url)
        assert.strictEqual(byParser, at === 0, url)
      }
    }
  })
})
