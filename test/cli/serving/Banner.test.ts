import { assert, describe, it } from "@effect/vitest"
import { banner, type Started } from "../../../src/cli/serving/Banner.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"

const started: Started = {
  version: "0.1.0",
  url: "http://127.0.0.1:8080",
  data: "/srv/ezthrottle.db (0 jobs waiting, 0 dead deliveries)",
  customers: undefined,
  policy: EgressPolicy.publicOnly,
  regions: [],
  l8: undefined,
  pace: "2 per second and 2 at once for each host",
  copy: undefined,
  millis: 420
}

describe("what a dam says when it has started", () => {
  it("tells whoever tries it that its address is a page, and how localhost is opened", () => {
    assert.strictEqual(
      banner(started),
      `ezthrottle dam 0.1.0
  listening  http://127.0.0.1:8080
  page       the same address, in a browser
  data       /srv/ezthrottle.db (0 jobs waiting, 0 dead deliveries)
  callers    this machine, without keys
  egress     public addresses
             jobs may not call localhost or private addresses; start with --allow-private to let them,
             or with --allow-egress HOST for one host
  pace       2 per second and 2 at once for each host
ready after 420 ms; Ctrl-C stops it`
    )
  })

  it("says nothing of localhost where it is open, or where strangers call", () => {
    for (const one of [
      { ...started, policy: { ...EgressPolicy.publicOnly, allowPrivate: true } },
      { ...started, policy: EgressPolicy.open },
      { ...started, customers: 2 }
    ]) {
      assert.notInclude(banner(one), "--allow-private")
    }
  })

  it("says how old a copy is, and what goes on with it", () => {
    assert.include(
      banner({ ...started, copy: { at: Date.UTC(2026, 0, 2, 3), age: 7_200_000 } }),
      "  COPY       made 2h ago (2026-01-02T03:00:00.000Z); nothing is sent or taken until it is started with --resume-copy\n"
    )
  })

  it("tells of customers, regions and L8 where there are any", () => {
    const said = banner({ ...started, customers: 1, regions: [["iad", "proxy"]], l8: "key" })
    assert.include(said, "  callers    1 customer with keys\n")
    assert.include(said, "  regions    iad proxy; others leave from here\n  l8         key\n")
  })
})
