/**
 * What `ezthrottle-effect/dam` and `/node` import before anything else (`tsup.config.ts` sees to it): an old Node learns
 * here which one it takes. Further on it would fail within undici, in words of its own.
 */
import { isOld, needed } from "../transport/OldNode.ts"

const { node } = process.versions

if (isOld(node)) throw new Error(needed("this part of ezthrottle-effect (/dam, /node)", node))
