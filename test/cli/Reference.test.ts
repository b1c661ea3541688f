import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { exits } from "../../src/cli/output/Problem.ts"
import * as SqliteJobStore from "../../src/dam/sqlite/SqliteJobStore.ts"
import * as Support from "./support.ts"

const meanings: { readonly [Exit in keyof typeof exits]: string } = {
  done: "It is done.",
  failed: "It could not be done; the line says why.",
  usage: "The command line, a setting or a step file is wrong. Nothing was called.",
  endedBadly: "The step or the job ended badly.",
  unreachable: "Nothing usable answers there.",
  denied: "The service refuses the caller: no key, a wrong one, or a plan that is used up.",
  notFound: "There is no such job, delivery or secret.",
  partly: "Some of several could not be done.",
  timedOut: "The time given passed first; what it waited for goes on.",
  interrupted: "It was stopped with Ctrl-C (143: with SIGTERM)."
}

/** Columns anew, because what stood in them has changed its width. */
const aligned = (text: string): string => {
  const lines = text.split("\n")
  const isHead = (line: string | undefined) => /^ *[A-Z]+( {2,}[A-Z]+)+$/.test(line ?? "")
  const out: Array<string> = []
  for (let at = 0; at < lines.length; at++) {
    const head = lines[at] ?? ""
    if (!isHead(head)) {
      out.push(head)
      continue
    }
    const indent = /^ */.exec(head)?.[0] ?? ""
    const rows: Array<ReadonlyArray<string>> = []
    while (at < lines.length && (lines[at] ?? "").trim() !== "") rows.push((lines[at++] ?? "").trim().split(/ {2,}/))
    const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length))) ?? []
    out.push(
      ...rows.map((row) => (indent + row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).trimEnd())
    )
    at--
  }
  return out.join("\n")
}

const settled = (text: string): string =>
  aligned(
    Support.settled(text)
      .replace(/\/(?:tmp|var)\/\S*?cli-\w{6}\//g, "")
      .replace(/\d+ ms\b/g, "<span>")
      .replace(/<span>, \d+ per second/g, "<span>, <rate> per second")
      .replace(/next in <span>$/gm, "open")
      .replace(/within \d+s of/g, "within 1s of")
  )

/** What each command prints here, over one dam; written anew by `vitest -u`. */
const page = Effect.gen(function* () {
  const dam = yield* Support.dam({ health: Effect.succeed({ version: "0.1.0" }) })
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "cli-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const upstream = dam.upstream.url
  const frugal = file(
    "order.yaml",
    `url: ${upstream}/status/503\ntype: FRUGAL\nfallbackOnError: []\nretryPolicy: { maxRetries: 1, base: 1 }\nfallbacks:\n  - step: { url: ${upstream}/status/200 }\n`
  )
  const job = file(
    "job.json",
    JSON.stringify({ url: `${upstream}/status/200`, metadata: { order: "7" }, idempotent_key: "order-7" })
  )
  const lines = Array.from({ length: 20 }, (_, n) => JSON.stringify({ url: `${upstream}/${n}` }))
  const batch = file("jobs.ndjson", `${lines.join("\n")}\n{"url":"nowhere"}\n`)
  const parts: Array<string> = []
  const show = Effect.fnUntraced(function* (
    command: string,
    options: {
      readonly args?: ReadonlyArray<string>
      readonly environment?: Readonly<Record<string, string>>
      /** Whether it talks to no service. */
      readonly isLocal?: boolean
    } = {}
  ) {
    const args = options.args ?? command.split(" ").slice(1)
    const ran = yield* Support.run(options.isLocal ? args : [...args, "--url", dam.url], options.environment)
    const said = [ran.err, ran.out].filter((text) => text !== "").join("\n")
    parts.push(
      `\`\`\`text\n$ ${settled(command)}\n${settled(said)}${ran.code === 0 ? "" : `\n(ends with ${ran.code})`}\n\`\`\``
    )
    return ran
  })
  const help = Effect.fnUntraced(function* (...path: ReadonlyArray<string>) {
    const { out } = yield* Support.run([...path, "--help"])
    parts.push(`${path.length > 1 ? "###" : "##"} ${["ezthrottle", ...path].join(" ")}`)
    // the same for all of them, and said once
    parts.push(`\`\`\`text\n${out.replace(/GLOBAL FLAGS\n(?: {2}.*\n)+\n?/, "").trim()}\n\`\`\``)
  })

  yield* help("run")
  yield* show("ezthrottle run order.yaml", { args: ["run", frugal] })
  yield* help("submit")
  const { out: id } = yield* show("ezthrottle submit job.json", { args: ["submit", job] })
  yield* show("ezthrottle submit --file jobs.ndjson", { args: ["submit", "--file", batch, "--concurrency", "1"] })
  yield* help("jobs")
  yield* help("jobs", "wait")
  yield* show(`ezthrottle jobs wait ${id}`)
  yield* help("jobs", "list")
  yield* show("ezthrottle jobs list --metadata order=7")
  yield* show("ezthrottle jobs list --q 127.0.0.1/status/")
  yield* show("ezthrottle jobs export --metadata order=7 --format csv")
  yield* show("ezthrottle jobs cancel --q api.example.com --dry-run")
  yield* help("jobs", "show")
  yield* show(`ezthrottle jobs show ${id}`)
  yield* show("ezthrottle jobs show job_00000000000000000000000000")
  yield* help("jobs", "watch")
  yield* show(`ezthrottle jobs watch ${id}`)
  yield* help("jobs", "erase")
  yield* help("jobs", "cancel")
  const later = yield* Support.submit(dam.url, { url: upstream, retry_at: Date.now() + 86_400_000 })
  yield* show(`ezthrottle jobs cancel ${later}`)
  yield* help("jobs", "run-now")
  const wanted = yield* Support.submit(dam.url, { url: `${upstream}/wanted`, retry_at: Date.now() + 86_400_000 })
  yield* show(`ezthrottle jobs run-now ${wanted}`)
  yield* help("jobs", "rerun")
  yield* show(`ezthrottle jobs rerun ${id}`)
  // what follows counts what is under way, and nothing shall be
  const { jobs } = JSON.parse((yield* dam.run("jobs", "list", "--limit", "100", "--json")).out)
  for (const { job_id } of jobs) yield* dam.run("jobs", "wait", job_id)
  yield* help("failures")
  const bad = yield* Support.submit(dam.url, { url: `${upstream}/status/404` })
  yield* dam.run("jobs", "wait", bad)
  yield* show("ezthrottle failures")
  yield* help("explain")
  const tomorrow = yield* Support.submit(dam.url, { url: `${upstream}/tomorrow`, retry_at: Date.now() + 86_400_000 })
  yield* show(`ezthrottle explain ${tomorrow}`)
  yield* dam.run("jobs", "cancel", tomorrow)
  yield* help("lanes")
  const { host } = new URL(upstream)
  yield* help("lanes", "pause")
  yield* show(`ezthrottle lanes pause ${host} --note maintenance`)
  yield* help("lanes", "list")
  yield* show("ezthrottle lanes list")
  yield* help("lanes", "resume")
  yield* show(`ezthrottle lanes resume ${host}`)
  yield* help("lanes", "set")
  yield* show(`ezthrottle lanes set ${host} --rps 5 --max-concurrent 2`)
  yield* help("lanes", "reset")
  yield* show(`ezthrottle lanes reset ${host}`)
  yield* help("lanes", "log")
  yield* show(`ezthrottle lanes log ${host}`)
  yield* help("lanes", "history")
  yield* help("limits")
  yield* help("limits", "set")
  const setting = "--rate 90000 --per 1m --settle-json usage.total_tokens --weight acme=3"
  yield* show(`ezthrottle limits set openai-tokens ${setting}`)
  yield* help("limits", "list")
  yield* show("ezthrottle limits list")
  yield* help("limits", "show")
  yield* help("limits", "delete")
  yield* show("ezthrottle limits delete openai-tokens")
  yield* help("credentials")
  yield* help("credentials", "put")
  yield* help("credentials", "list")
  yield* show("ezthrottle credentials list")
  yield* help("credentials", "delete")
  yield* help("schedules")
  yield* help("schedules", "put")
  yield* help("schedules", "apply")
  yield* help("schedules", "list")
  yield* show("ezthrottle schedules list")
  yield* help("schedules", "show")
  yield* help("schedules", "delete")
  yield* help("schedules", "pause")
  yield* help("schedules", "resume")
  yield* help("schedules", "run")
  yield* help("dead")
  yield* help("dead", "list")
  const webhooks = [{ url: `${upstream}/status/410` }]
  yield* Support.submit(dam.url, { url: `${upstream}/status/200`, body: "told to nobody", webhooks })
  const isDead = (listed: Support.Ran) => listed.out !== "no dead letters"
  yield* Effect.repeat(dam.run("dead", "list"), { until: isDead })
  const { out: letters } = yield* show("ezthrottle dead list")
  yield* help("dead", "replay")
  yield* show(`ezthrottle dead replay ${/^job_\w+:0/m.exec(letters)?.[0]}`)
  yield* help("dead", "purge")
  yield* show("ezthrottle dead purge --until 30d")
  yield* help("secrets")
  const environment = { SECRET: "a secret of our own", NEXT: "the secret after it" }
  yield* help("secrets", "create")
  yield* show("ezthrottle secrets create env:SECRET", { environment })
  yield* help("secrets", "get")
  yield* show("ezthrottle secrets get")
  yield* help("secrets", "rotate")
  yield* show("ezthrottle secrets rotate env:NEXT", { environment })
  yield* help("secrets", "delete")
  yield* show("ezthrottle secrets delete")
  yield* help("notices")
  yield* help("notices", "set")
  yield* help("notices", "get")
  yield* help("notices", "reset")
  yield* help("presets")
  yield* help("presets", "list")
  yield* help("presets", "show")
  yield* help("presets", "read")
  const answer = ["--status", "429", "--header", "retry-after-ms: 4210"]
  yield* show("ezthrottle presets read --host api.openai.com --status 429 --header 'retry-after-ms: 4210' --json", {
    args: ["presets", "read", "--host", "api.openai.com", ...answer, "--json"],
    isLocal: true
  })
  yield* help("doctor")
  yield* show("ezthrottle doctor --check http://10.0.0.7/hook", {
    args: ["doctor", "--check", "http://10.0.0.7/hook", "--db", "/nowhere/ezthrottle.db"]
  })
  yield* help("dam")
  yield* help("backup")
  const db = join(folder, "ezthrottle.db")
  yield* Effect.scoped(SqliteJobStore.make({ path: db, executor: "sameThread" }))
  yield* show("ezthrottle backup today.db", { args: ["backup", join(folder, "today.db"), "--db", db], isLocal: true })
  yield* help("mcp")

  const { out: top } = yield* Support.run(["--help"])
  const codes = Object.entries(exits).map(([name, code]) => `| ${code} | ${meanings[name as keyof typeof exits]} |`)
  return `${[
    "# Command line",
    "Every command, its help, and what it printed when a test ran it; ids, times and ports are replaced. How to use them together stands in [the guide](../guide/command-line.md).",
    `\`\`\`text\n${top.trim()}\n\`\`\``,
    "Every command that talks to a service takes `--url` and `--api-key` too, or `EZTHROTTLE_DAM_URL`, `EZTHROTTLE_URL` and `EZTHROTTLE_API_KEY`.",
    "What a command did is on standard output, everything about how it went on standard error: with `--json` the one is JSON and so is an error on the other.",
    "## Exit codes",
    ["| code | meaning |", "| --- | --- |", ...codes].join("\n"),
    ...parts
  ].join("\n\n")}\n`
})

// `vitest run -u` writes the file anew
describe("the reference of the command line", () => {
  it("shows each command as it is", async () => {
    const text = await Effect.runPromise(Effect.scoped(page))
    await expect(text).toMatchFileSnapshot("../../docs/reference/cli.md")
  }, 60_000)
})
