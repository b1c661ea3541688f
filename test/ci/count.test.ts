import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const script = fileURLToPath(new URL("../../.ci/count.ts", import.meta.url))

const report = (passed: number, failed: number, skipped = 0, files: ReadonlyArray<unknown> = []) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: skipped,
  numTodoTests: 0,
  testResults: files
})

/** What the script prints and how it ends, given these reports; `undefined` is a report that was never written. */
const count = (...reports: ReadonlyArray<ReturnType<typeof report> | undefined>) => {
  const folder = mkdtempSync(join(tmpdir(), "count-"))
  const files = reports.map((content, index) => {
    const file = join(folder, `${index}.json`)
    if (content !== undefined) writeFileSync(file, JSON.stringify(content))
    return file
  })
  const { stdout, status } = spawnSync(process.execPath, [script, ...files], { encoding: "utf8" })
  rmSync(folder, { recursive: true })
  return { line: stdout.trimEnd().split("\n").at(-1), status }
}

describe("the count of CI", () => {
  it("adds up all reports", () =>
    assert.deepStrictEqual(count(report(400, 0), report(12, 0)), { line: "412 passed, 0 failed", status: 0 }))

  it("names skipped tests only when there are some", () =>
    assert.deepStrictEqual(count(report(4, 0, 1), report(1, 0)), { line: "5 passed, 0 failed, 1 skipped", status: 0 }))

  it("ends badly when a test failed", () =>
    assert.deepStrictEqual(count(report(4, 1), report(1, 0)), { line: "5 passed, 1 failed", status: 1 }))

  it("ends badly when no test ran", () =>
    assert.deepStrictEqual(count(report(0, 0), report(0, 0)), { line: "0 passed, 0 failed", status: 1 }))

  it("ends badly when a report is missing", () =>
    assert.deepStrictEqual(count(report(4, 0), undefined), { line: "4 passed, 0 failed", status: 1 }))

  it("counts a file that failed before its first test as a failure", () =>
    assert.deepStrictEqual(count(report(4, 0, 0, [{ status: "failed", assertionResults: [] }])), {
      line: "4 passed, 1 failed",
      status: 1
    }))
})
