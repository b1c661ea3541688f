/** SQLite, compiled to WebAssembly, over simulated disks: a path is `/DISK/FILE`. */
import init from "@sqlite.org/sqlite-wasm"
import { type Chance, chanceOf } from "./Chance.ts"
import { Disk, type DiskFile } from "./Disk.ts"

const sqlite = await init()

/** Constants, structures and names of SQLite's C interface. */
export const capi = sqlite.capi

/** Its memory, and what reads and writes there. */
export const wasm = sqlite.wasm

/** What a world gives SQLite beside a disk. */
interface Surroundings {
  readonly chance: Chance
  /** Epoch milliseconds. */
  readonly now: () => number
}

interface OpenFile {
  readonly disk: Disk
  readonly name: string
  readonly file: DiskFile
  readonly isTemporary: boolean
}

const disks = new Map<string, Disk>([["temporary", new Disk(chanceOf(0, "temporary"))]])
const open = new Map<unknown, OpenFile>()
let surroundings: Surroundings = { chance: chanceOf(0, "SQLite"), now: () => 0 }
let temporaries = 0

/** Puts a disk in for as long as a world lasts; SQLite's own generator begins anew, so that a seed gives the same bytes. */
export const mount = (name: string, disk: Disk, around: Surroundings): void => {
  disks.set(name, disk)
  surroundings = around
  wasm.exports.sqlite3_randomness(0, 0)
}

export const unmount = (name: string): void => {
  disks.delete(name)
}

const placeOf = (path: string): readonly [Disk | undefined, string] => {
  const [, name = "", file = ""] = /^\/?([^/]+)\/(.*)$/.exec(path) ?? []
  return [disks.get(name), file]
}

const textAt = (pointer: number): string => wasm.cstrToJs(pointer) ?? ""

/** SQLite asks about files it has opened, and no others. */
const opened = (pointer: unknown): OpenFile => {
  const found = open.get(pointer)
  if (found === undefined) throw new Error("SQLite uses a file that it has not opened")
  return found
}

const io = new capi.sqlite3_io_methods()
const vfs = new capi.sqlite3_vfs()
// without shared memory: the log works for a connection that locks the file for itself. (Its declarations name it otherwise.)
Object.assign(io, { $iVersion: 1 })
vfs.$iVersion = 2
// an open file is a pointer to its methods
vfs.$szOsFile = 4
vfs.$mxPathname = 512
vfs.$zName = wasm.allocCString("simulated", false)

const ioMethods = {
  xClose: (pointer: number) => {
    const { disk, isTemporary, name } = opened(pointer)
    open.delete(pointer)
    if (isTemporary) disk.files.delete(name)
    return 0
  },
  xRead: (pointer: number, to: number, length: number, offset: bigint) => {
    const { file } = opened(pointer)
    const at = Number(offset)
    const end = Math.min(file.size, at + length)
    const got = Math.max(0, end - at)
    const memory = wasm.heap8u()
    if (got > 0) memory.set(file.bytes.subarray(at, end), to)
    if (got === length) return 0
    memory.fill(0, to + got, to + length)
    return capi.SQLITE_IOERR_SHORT_READ
  },
  xWrite: (pointer: number, from: number, length: number, offset: bigint) => {
    const { disk, file } = opened(pointer)
    const verdict = disk.write(file, Number(offset), wasm.heap8u().subarray(from, from + length))
    return verdict === "done" ? 0 : verdict === "full" ? capi.SQLITE_FULL : capi.SQLITE_IOERR_WRITE
  },
  xTruncate: (pointer: number, size: bigint) => {
    const { disk, file } = opened(pointer)
    if (disk.isDead) return capi.SQLITE_IOERR_TRUNCATE
    file.cut(Number(size))
    return 0
  },
  xSync: (pointer: number) => {
    const { disk, file } = opened(pointer)
    return disk.sync(file) === "done" ? 0 : capi.SQLITE_IOERR_FSYNC
  },
  xFileSize: (pointer: number, to: number) => {
    wasm.poke64(to, BigInt(opened(pointer).file.size))
    return 0
  },
  xLock: () => 0,
  xUnlock: () => 0,
  xCheckReservedLock: (_: number, to: number) => {
    wasm.poke32(to, 0)
    return 0
  },
  xFileControl: () => capi.SQLITE_NOTFOUND,
  xSectorSize: () => 4096,
  xDeviceCharacteristics: () => 0
}

const vfsMethods = {
  xOpen: (_: number, name: number, pointer: number, flags: number, to: number) => {
    const [disk, file] = placeOf(name === 0 ? `temporary/${++temporaries}` : textAt(name))
    if (disk === undefined) return capi.SQLITE_CANTOPEN
    if ((flags & capi.SQLITE_OPEN_CREATE) === 0 && !disk.files.has(file)) return capi.SQLITE_CANTOPEN
    const isTemporary = (flags & capi.SQLITE_OPEN_DELETEONCLOSE) !== 0
    open.set(pointer, { disk, name: file, file: disk.open(file), isTemporary })
    const struct = new capi.sqlite3_file(pointer)
    struct.$pMethods = io.pointer
    struct.dispose()
    if (to !== 0) wasm.poke32(to, flags)
    return 0
  },
  xDelete: (_: number, name: number) => {
    const [disk, file] = placeOf(textAt(name))
    if (disk === undefined || disk.isDead) return capi.SQLITE_IOERR
    disk.files.delete(file)
    return 0
  },
  xAccess: (_: number, name: number, __: number, to: number) => {
    const [disk, file] = placeOf(textAt(name))
    wasm.poke32(to, disk?.files.has(file) === true ? 1 : 0)
    return 0
  },
  xFullPathname: (_: number, name: number, length: number, to: number) =>
    wasm.cstrncpy(to, name, length) < length ? 0 : capi.SQLITE_CANTOPEN,
  xRandomness: (_: number, length: number, to: number) => {
    const memory = wasm.heap8u()
    for (let at = 0; at < length; at++) memory[to + at] = surroundings.chance() * 256
    return length
  },
  xSleep: (_: number, micros: number) => micros,
  xCurrentTime: (_: number, to: number) => {
    wasm.poke(to, surroundings.now() / 86_400_000 + 2_440_587.5, "double")
    return 0
  },
  xCurrentTimeInt64: (_: number, to: number) => {
    wasm.poke64(to, BigInt(Math.floor(surroundings.now())) + 210_866_760_000_000n)
    return 0
  },
  xGetLastError: () => 0
}

// the declarations of the package give these methods the types of its own pointers, which are numbers here
sqlite.vfs.installVfs({ io: { struct: io, methods: ioMethods as never } })
sqlite.vfs.installVfs({ vfs: { struct: vfs, asDefault: true, methods: vfsMethods as never } })
