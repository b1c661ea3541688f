/**
 * What the store uses of `node:sqlite`, over SQLite in WebAssembly on a simulated disk. It stands in the place of
 * `src/dam/sqlite/Sqlite.ts` (`Seams.ts`).
 */
import { capi, wasm } from "./Vfs.ts"

type Value = null | number | bigint | string | Uint8Array

/** What SQLite's C interface is called by here; the package has it as functions without types. */
interface Native {
  readonly sqlite3_open_v2: (path: number, to: number, flags: number, vfs: number) => number
  readonly sqlite3_close_v2: (db: number) => number
  readonly sqlite3_exec: (db: number, sql: number, a: 0, b: 0, c: 0) => number
  readonly sqlite3_prepare_v2: (db: number, sql: number, length: number, to: number, tail: 0) => number
  readonly sqlite3_finalize: (statement: number) => number
  readonly sqlite3_step: (statement: number) => number
  readonly sqlite3_reset: (statement: number) => number
  readonly sqlite3_clear_bindings: (statement: number) => number
  readonly sqlite3_bind_double: (statement: number, place: number, value: number) => number
  readonly sqlite3_bind_int64: (statement: number, place: number, value: bigint) => number
  readonly sqlite3_bind_null: (statement: number, place: number) => number
  readonly sqlite3_bind_text: (statement: number, place: number, at: number, length: number, copy: number) => number
  readonly sqlite3_bind_blob: (statement: number, place: number, at: number, length: number, copy: number) => number
  readonly sqlite3_column_count: (statement: number) => number
  readonly sqlite3_column_name: (statement: number, column: number) => number
  readonly sqlite3_column_type: (statement: number, column: number) => number
  readonly sqlite3_column_int64: (statement: number, column: number) => bigint
  readonly sqlite3_column_double: (statement: number, column: number) => number
  readonly sqlite3_column_text: (statement: number, column: number) => number
  readonly sqlite3_column_blob: (statement: number, column: number) => number
  readonly sqlite3_column_bytes: (statement: number, column: number) => number
  readonly sqlite3_changes64: (db: number) => bigint
  readonly sqlite3_last_insert_rowid: (db: number) => bigint
  readonly sqlite3_get_autocommit: (db: number) => number
  readonly sqlite3_extended_result_codes: (db: number, on: number) => number
  readonly sqlite3_extended_errcode: (db: number) => number
  readonly sqlite3_errmsg: (db: number) => number
  readonly sqlite3_malloc: (bytes: number) => number
  readonly sqlite3_free: (at: number) => void
}

const native: Native = wasm.exports
const row = 100
const done = 101
/** SQLite copies what it is given. */
const copied = -1

/** As `node:sqlite` throws: the code beside the words. */
class SqliteError extends Error {
  readonly code = "ERR_SQLITE_ERROR"
  readonly errcode: number

  constructor(db: number, code: number) {
    super(wasm.cstrToJs(native.sqlite3_errmsg(db)) ?? "")
    this.errcode = native.sqlite3_extended_errcode(db) || code
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Room for one parameter, which SQLite copies. */
const arena = { size: 1 << 20, at: native.sqlite3_malloc(1 << 20) }

const room = (bytes: number): number => {
  if (bytes <= arena.size) return arena.at
  native.sqlite3_free(arena.at)
  arena.size = bytes * 2
  arena.at = native.sqlite3_malloc(arena.size)
  return arena.at
}

class Statement {
  readonly pointer: number
  readonly #db: number
  #names: ReadonlyArray<string> | undefined

  constructor(db: number, sql: string) {
    this.#db = db
    const text = wasm.allocCString(sql, false)
    const to = native.sqlite3_malloc(8)
    const code = native.sqlite3_prepare_v2(db, text, -1, to, 0)
    this.pointer = wasm.peekPtr(to)
    wasm.dealloc(text)
    native.sqlite3_free(to)
    if (code !== 0) throw new SqliteError(db, code)
  }

  get(...values: ReadonlyArray<Value>): Record<string, Value> | undefined {
    this.#bind(values)
    const code = native.sqlite3_step(this.pointer)
    const found = code === row ? this.#row() : undefined
    this.#end(code)
    return found
  }

  all(...values: ReadonlyArray<Value>): ReadonlyArray<Record<string, Value>> {
    this.#bind(values)
    const rows: Array<Record<string, Value>> = []
    let code = native.sqlite3_step(this.pointer)
    for (; code === row; code = native.sqlite3_step(this.pointer)) rows.push(this.#row())
    this.#end(code)
    return rows
  }

  /** All at once: nobody changes anything while the rows are looked at. */
  iterate(...values: ReadonlyArray<Value>): IterableIterator<Record<string, Value>> {
    return this.all(...values).values()
  }

  run(...values: ReadonlyArray<Value>): { readonly changes: number; readonly lastInsertRowid: number } {
    this.#bind(values)
    let code = native.sqlite3_step(this.pointer)
    while (code === row) code = native.sqlite3_step(this.pointer)
    this.#end(code)
    return {
      changes: Number(native.sqlite3_changes64(this.#db)),
      lastInsertRowid: Number(native.sqlite3_last_insert_rowid(this.#db))
    }
  }

  #bind(values: ReadonlyArray<Value>): void {
    values.forEach((value, index) => {
      const code = this.#bindOne(index + 1, value)
      if (code !== 0) throw new SqliteError(this.#db, code)
    })
  }

  #bindOne(place: number, value: Value): number {
    const { pointer } = this
    switch (typeof value) {
      // as Node does, whole numbers too
      case "number":
        return native.sqlite3_bind_double(pointer, place, value)
      case "bigint":
        return native.sqlite3_bind_int64(pointer, place, value)
      case "string": {
        const at = room(value.length * 3 + 1)
        const { written } = encoder.encodeInto(value, wasm.heap8u().subarray(at, at + arena.size))
        return native.sqlite3_bind_text(pointer, place, at, written, copied)
      }
      case "object": {
        if (value === null) return native.sqlite3_bind_null(pointer, place)
        const at = room(value.length + 1)
        wasm.heap8u().set(value, at)
        return native.sqlite3_bind_blob(pointer, place, at, value.length, copied)
      }
      default:
        throw new TypeError(`SQLite has no ${typeof value}, which parameter ${place} is`)
    }
  }

  #row(): Record<string, Value> {
    const { pointer } = this
    this.#names ??= Array.from(
      { length: native.sqlite3_column_count(pointer) },
      (_, column) => wasm.cstrToJs(native.sqlite3_column_name(pointer, column)) ?? ""
    )
    return Object.fromEntries(this.#names.map((name, column) => [name, this.#column(column)]))
  }

  #column(column: number): Value {
    const { pointer } = this
    switch (native.sqlite3_column_type(pointer, column)) {
      case capi.SQLITE_INTEGER:
        return Number(native.sqlite3_column_int64(pointer, column))
      case capi.SQLITE_FLOAT:
        return native.sqlite3_column_double(pointer, column)
      case capi.SQLITE_TEXT: {
        const at = native.sqlite3_column_text(pointer, column)
        return decoder.decode(wasm.heap8u().subarray(at, at + native.sqlite3_column_bytes(pointer, column)))
      }
      case capi.SQLITE_BLOB: {
        const at = native.sqlite3_column_blob(pointer, column)
        return wasm.heap8u().slice(at, at + native.sqlite3_column_bytes(pointer, column))
      }
      default:
        return null
    }
  }

  #end(code: number): void {
    const error = code === row || code === done ? undefined : new SqliteError(this.#db, code)
    native.sqlite3_reset(this.pointer)
    native.sqlite3_clear_bindings(this.pointer)
    if (error !== undefined) throw error
  }
}

export class DatabaseSync {
  isOpen = true
  readonly #pointer: number
  readonly #path: string
  #statements: Array<Statement> = []

  constructor(path: string, options: { readonly enableForeignKeyConstraints?: boolean } = {}) {
    this.#path = path
    const to = native.sqlite3_malloc(8)
    const name = wasm.allocCString(path, false)
    const code = native.sqlite3_open_v2(name, to, capi.SQLITE_OPEN_READWRITE | capi.SQLITE_OPEN_CREATE, 0)
    this.#pointer = wasm.peekPtr(to)
    wasm.dealloc(name)
    native.sqlite3_free(to)
    if (code !== 0) {
      const error = new SqliteError(this.#pointer, code)
      native.sqlite3_close_v2(this.#pointer)
      throw error
    }
    native.sqlite3_extended_result_codes(this.#pointer, 1)
    // the page of Node's build, and a log without shared memory, which the lock of the file makes possible
    this.exec("PRAGMA page_size = 4096; PRAGMA locking_mode = EXCLUSIVE")
    if (options.enableForeignKeyConstraints !== false) this.exec("PRAGMA foreign_keys = ON")
  }

  exec(sql: string): void {
    const text = wasm.allocCString(sql, false)
    const code = native.sqlite3_exec(this.#pointer, text, 0, 0, 0)
    wasm.dealloc(text)
    if (code !== 0) throw new SqliteError(this.#pointer, code)
  }

  prepare(sql: string): Statement {
    const statement = new Statement(this.#pointer, sql)
    this.#statements.push(statement)
    return statement
  }

  location(): string | null {
    return this.#path === ":memory:" ? null : this.#path
  }

  get isTransaction(): boolean {
    return native.sqlite3_get_autocommit(this.#pointer) === 0
  }

  close(): void {
    if (!this.isOpen) throw new Error("database is not open")
    for (const { pointer } of this.#statements) native.sqlite3_finalize(pointer)
    this.#statements = []
    this.isOpen = false
    native.sqlite3_close_v2(this.#pointer)
  }
}

export const backup = (): never => {
  throw new Error("a simulated database is not backed up")
}
