/** A real Postgres and a build of the package for the tests of a file; both end with them. */
import { afterAll, beforeAll } from "@effect/vitest"
import { begin } from "../../support/Postgres.ts"
import { type Built, build } from "./Built.ts"
import { endAll } from "./DamProcess.ts"

/** Begins them. `built` is there once the tests run. */
export const overPostgres = async () => {
  const server = await begin()
  let built: Built | undefined
  beforeAll(async () => {
    built = await build()
  })
  afterAll(async () => {
    await endAll()
    built?.remove()
    if (!("missing" in server)) await server.stop()
  })
  return {
    server,
    built: (): Built => {
      if (built === undefined) throw new Error("it is built before the first test")
      return built
    }
  }
}
