/** Describes what is tried on a real Postgres; where none can be had it is counted as skipped, with the reason. */
import { describe } from "@effect/vitest"
import type { Missing, Postgres } from "./Postgres.ts"

export const withPostgres = (server: Postgres | Missing, name: string, tests: (server: Postgres) => void): void => {
  const isMissing = "missing" in server
  // the tests are named all the same, and none of them is run
  const given = isMissing ? nowhere : server
  describe.skipIf(isMissing)(`${name}${isMissing ? `: ${server.missing}` : ""}`, () => {
    tests(given)
  })
}

const nowhere: Postgres = {
  port: 0,
  pid: () => 0,
  url: () => "postgres://nowhere",
  stop: () => Promise.resolve(),
  start: () => Promise.resolve()
}
