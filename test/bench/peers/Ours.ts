/** The built package: this one's, or the one whose `dist` is named, so that two builds are measured in one run. */
import type * as DamEntry from "ezthrottle-effect/dam"
import type * as PromiseEntry from "ezthrottle-effect/promise"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

const dist = process.env["BENCH_DIST"] ?? join(import.meta.dirname, "../../../dist")
const entry = (name: string) => import(pathToFileURL(join(dist, `${name}.js`)).href)

export const { Dam }: Pick<typeof DamEntry, "Dam"> = await entry("dam")
export const { EZThrottle }: Pick<typeof PromiseEntry, "EZThrottle"> = await entry("promise")
