import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Double from "../Double.ts"
import * as Support from "../support.ts"

describe("ezthrottle lanes", () => {
  it.live("pauses, resumes, sets and resets the lane of a host while it runs", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const { host } = new URL(dam.upstream.url)
      const paused = yield* dam.run("lanes", "pause", host, "--note", "their maintenance")
      assert.strictEqual(paused.code, 0, paused.err)
      assert.match(paused.out.split("\n")[1] ?? "", /paused by local \d+ms ago: their maintenance$/)
      const id = yield* Support.submit(dam.url, { url: dam.upstream.url })
      const waited = yield* dam.run("jobs", "wait", id, "--timeout", "50ms")
      assert.strictEqual(waited.code, 8)
      const listed = yield* dam.run("lanes", "list")
      assert.match(listed.out, new RegExp(`^LANE +QUEUED +RUNNING +PARKED +PACE +FROM +NOW\n${host} +1 +0 +0 `))
      const resumed = yield* dam.run("lanes", "resume", host, "--json")
      assert.deepInclude(JSON.parse(resumed.out), { lane: host, paused: null })
      assert.strictEqual((yield* dam.run("jobs", "wait", id)).code, 0)
      const set = yield* dam.run("lanes", "set", dam.upstream.url, "--rps", "5", "--max-concurrent", "2")
      assert.match(set.out, / 5\/s, 2 at once +operator /)
      const log = yield* dam.run("lanes", "log", host)
      assert.deepStrictEqual(
        log.out
          .split("\n")
          .slice(1)
          .map((line) => line.split(/ {2,}/)[2])
          .toSorted(),
        ["pace", "pause", "resume"]
      )
      const opened = yield* dam.run("lanes", "breaker", host, "open", "--note", "a hunch", "--json")
      assert.deepInclude(JSON.parse(opened.out).breaker, { state: "open", why: "a hunch" })
      assert.notProperty(JSON.parse((yield* dam.run("lanes", "breaker", host, "close", "--json")).out), "breaker")
      const reset = yield* dam.run("lanes", "reset", host, "--json")
      assert.deepInclude(JSON.parse(reset.out), { source: "default" })
    })
  )

  it.live("tells the calls to a host apart, and takes that back", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const rule = (...args: ReadonlyArray<string>) => dam.run("lanes", "rule", "api.example.com", ...args)
      const told = yield* rule("credential", "body:model", "header:X-Plan", "after:models", "--json")
      assert.strictEqual(JSON.parse(told.out).rule.parts, "credential/model/X-Plan/models")
      const shown = yield* rule("method")
      assert.include(shown.out, "method")
      assert.strictEqual(JSON.parse((yield* rule("host", "--json")).out).rule.by, "operator")
      assert.strictEqual(JSON.parse((yield* rule("--reset", "--json")).out).rule.by, "default")
      const paused = yield* dam.run("lanes", "pause", "api.example.com#a~b", "--json")
      assert.strictEqual(JSON.parse(paused.out).lane, "api.example.com:443#a~b")
      for (const wrong of [[], ["nothing"], ["after:"], ["method", "--reset"]]) {
        assert.notStrictEqual((yield* rule(...wrong)).code, 0, wrong.join(" "))
      }
    })
  )

  it.live("lists the lanes that begin with a prefix", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      yield* Support.submit(dam.url, { url: dam.upstream.url, retry_at: Date.now() + 86_400_000 })
      const lanes = (prefix: string) =>
        Effect.map(dam.run("lanes", "list", "--prefix", prefix, "--json"), ({ out }) => JSON.parse(out).lanes.length)
      assert.strictEqual(yield* lanes("127."), 1)
      assert.strictEqual(yield* lanes("api."), 0)
      assert.strictEqual((yield* dam.run("lanes", "list", "--prefix", "api.")).out, "no lanes")
    })
  )

  it.effect("refuses to set nothing, or a pace that no call could keep", () =>
    Effect.gen(function* () {
      for (const args of [[], ["--rps", "0"], ["--rps", "-1"], ["--max-concurrent", "0"]]) {
        const { code } = yield* Support.run(["lanes", "set", "api.example.com", ...args])
        assert.strictEqual(code, 2, args.join(" "))
      }
    })
  )

  it.live("names a lane from a host, a host with a port, or a URL", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* Double.make({})
      for (const host of [
        "API.example.com",
        "api.example.com:80",
        "http://api.example.com/x",
        "https://api.example.com:8443"
      ]) {
        const { code, err } = yield* Support.run(["lanes", "resume", host, "--url", url])
        assert.strictEqual(code, 1)
        assert.match(err, /has no route .*; check that it is a dam, and its version$/)
      }
      assert.deepStrictEqual(
        asked.map(({ route }) => route.split("/")[4]),
        ["api.example.com:443", "api.example.com:80", "api.example.com:80", "api.example.com:8443"]
      )
    })
  )
})

describe("ezthrottle explain", () => {
  it.live("says every reason, until when it holds, and when the job starts", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const { host } = new URL(dam.upstream.url)
      yield* dam.run("lanes", "pause", host, "--note", "their maintenance\u001b[2J")
      const first = yield* Support.submit(dam.url, { url: `${dam.upstream.url}/1` })
      const second = yield* Support.submit(dam.url, { url: `${dam.upstream.url}/2` })
      const { code, out } = yield* dam.run("explain", second)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(Support.settled(out).split("\n"), [
        "job_<id>  queued",
        "  paused        local has paused 127.0.0.1:<port>: their maintenance\ufffd[2J",
        "  position      it is number 2 in its lane"
      ])
      const json = yield* dam.run("explain", second, "--json")
      assert.deepStrictEqual(JSON.parse(json.out).reasons[0].kind, "paused")

      const later = yield* Support.submit(dam.url, { url: "http://127.0.0.1:9/", retry_at: Date.now() + 90_000 })
      const scheduled = yield* dam.run("explain", later)
      assert.deepStrictEqual(Support.settled(scheduled.out.replace(/\b(89|90)(\.\d)? s/, "<n> s")).split("\n"), [
        "job_<id>  scheduled",
        "  scheduled     it must not start for another <n> s, until <time> (in <span>)",
        "  starts likely <time> (in <span>)"
      ])
      yield* dam.run("lanes", "resume", host)
      for (const id of [first, second]) yield* dam.run("jobs", "wait", id)
      const ended = yield* dam.run("explain", second)
      assert.strictEqual(Support.settled(ended.out), "job_<id>  succeeded\n  finished      it has succeeded")
    })
  )
})
