/**
 * Keeps V8 from growing the space for young objects to 128 MiB, which a busy server fills before it looks what may go.
 * Options of the command line would do it too, but a program cannot give them to itself without starting anew.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"

/** What the space for young objects may take: enough that requests die in it, an eighth of what V8 would take. */
const youngBytes = 16 * 1024 * 1024

/** What the space for old objects may grow by between two collections, in percent; V8 would let it triple. */
const oldGrowth = 80

/** V8 begins with 2 MiB. */
const growth = 8

/** More than has to survive for the space to grow that far. */
const mostObjects = 200_000

/**
 * Lets the space grow to its size in one leap, and no more after that. To be called before anything large is loaded.
 * Where V8 does not know the flag or was told another size, nothing changes.
 */
export const keepYoungSpaceSmall = (): void => {
  setFlagsFromString(`--semi-space-growth-factor=${growth}`)
  // the space grows when what it holds survives
  const survivors: Array<object> = []
  while (youngSpace() < youngBytes && survivors.length < mostObjects) {
    for (let more = 0; more < 1000; more++) survivors.push({ more })
  }
  setFlagsFromString("--semi-space-growth-factor=1")
}

/** Bytes of the space for young objects. */
export const youngSpace = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? 0

/**
 * Has V8 clear away old garbage sooner: what grows old while a dam fills would otherwise take twice as much as what is
 * alive, and what the heap has once taken from the machine stays with it.
 */
export const keepOldSpaceSmall = (): void => setFlagsFromString(`--heap-growing-percent=${oldGrowth}`)
