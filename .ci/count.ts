/**
 * Adds up vitest's JSON reports and prints `412 passed, 0 failed` (and `, 3 skipped` when some were). Ends with 1 when a
 * test failed, when none passed, or when a report is not there. A file that failed before its first test counts as one.
 */
import { existsSync, readFileSync } from "node:fs"

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: ReadonlyArray<{ readonly status: string; readonly assertionResults: ReadonlyArray<unknown> }>
}

const files = process.argv.slice(2)
const missing = files.filter((file) => !existsSync(file))
const reports = files
  .filter((file) => !missing.includes(file))
  .map((file): Report => JSON.parse(readFileSync(file, "utf8")))

const sum = (of: (report: Report) => number): number => reports.reduce((total, report) => total + of(report), 0)

const stillborn = ({ testResults }: Report): number =>
  testResults.filter(({ status, assertionResults }) => status === "failed" && assertionResults.length === 0).length

const passed = sum((report) => report.numPassedTests)
const failed = sum((report) => report.numFailedTests + stillborn(report))
const skipped = sum((report) => report.numPendingTests + report.numTodoTests)

for (const file of missing) console.log(`no report: ${file}`)
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`)
process.exitCode = failed > 0 || passed === 0 || missing.length > 0 ? 1 : 0
