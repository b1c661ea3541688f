/**
 * `node:crypto` with chance from a seed, for the dam's own sources. Stands in its place there (`Seams.ts`).
 *
 * Marks of owners are counted over all worlds, so a world begins them anew.
 */
import { type Chance, chanceOf } from "./Chance.ts"

export * from "node:crypto"

let chance: Chance = chanceOf(0, "crypto")

export const seed = (next: Chance): void => {
  chance = next
}

export const randomBytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => chance() * 256))

export const randomUUID = (): string =>
  randomBytes(16)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
