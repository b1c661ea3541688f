/**
 * Statements over one connection to Postgres, and faults in place of what it answers when it refuses one.
 *
 * Numbers and texts travel as text, so that Postgres takes each for what its column is, and a statement is prepared once.
 * Whole numbers come back as numbers: none here is beyond 2^53.
 */
import type { PgConnection } from "@effect/sql-pg/PgConnection"
import type * as PgTypes from "@effect/sql-pg/PgTypes"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { SqlError } from "effect/sql/SqlError"
import type { Cell, Fault, Row } from "../rows/Commands.ts"
import * as Driver from "./Driver.ts"

/** What a statement is given. */
export type Param = Cell | boolean | PgTypes.Parameter

/** Statements over one connection. */
export interface Session {
  readonly all: (sql: string, ...params: ReadonlyArray<Param>) => Effect.Effect<ReadonlyArray<Row>, Fault>
  /** The first row, if any. */
  readonly one: (sql: string, ...params: ReadonlyArray<Param>) => Effect.Effect<Row | undefined, Fault>
  /** How many rows were changed. */
  readonly run: (sql: string, ...params: ReadonlyArray<Param>) => Effect.Effect<number, Fault>
  /** Ends a transaction; one that Postgres has given up already is a fault. */
  readonly commit: Effect.Effect<void, Fault>
}

/** Commands of a port as they are answered over a connection. */
export type Over<Port> = {
  readonly [Name in keyof Port]: Port[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Effect.Effect<Answer, Fault>
    : never
}

/** Makes one. */
export const over = (connection: PgConnection): Session => {
  const query = (sql: string, params: ReadonlyArray<Param>) =>
    Effect.mapError(connection.query(sql, params.map(encode)), faultOf)
  // every type of a column here is read as one of those that a cell can hold
  const all = (sql: string, ...params: ReadonlyArray<Param>) =>
    Effect.map(query(sql, params), ({ rows }) => rows as ReadonlyArray<Row>)
  return {
    all,
    one: (sql, ...params) => Effect.map(all(sql, ...params), ([first]) => first),
    run: (sql, ...params) => Effect.map(query(sql, params), ({ rowCount }) => rowCount),
    commit: Effect.flatMap(query("COMMIT", []), ({ command }) =>
      command === "COMMIT" ? Effect.void : Effect.fail(broken("its transaction was given up"))
    )
  }
}

const encode = (value: Param): unknown => {
  switch (typeof value) {
    case "number":
    case "bigint":
      return String(value)
    case "string":
      return storable(value)
    default:
      return value
  }
}

/** Postgres keeps no zero in a text; in its place stands a sign that no text has, and what has it all the same is marked. */
const storable = (text: string): string =>
  text.includes("\0") || text.includes(sign) ? text.replaceAll(sign, `${sign}1`).replaceAll("\0", `${sign}0`) : text

/** The text that was stored. */
const restored = (text: string): string =>
  text.includes(sign) ? text.replaceAll(`${sign}0`, "\0").replaceAll(`${sign}1`, sign) : text

/** Unicode promises that it will never be a character. */
const sign = "\u{10fffe}"

/** A column of many rows, to be given as one list; each value is a text, whatever its column is. */
export const texts = (values: ReadonlyArray<Cell | boolean | undefined>): PgTypes.Parameter =>
  list(
    values.map((value) => (value === null || value === undefined ? null : storable(String(value)))),
    OID.text
  )

/** The same of bytes. */
export const bytes = (values: ReadonlyArray<Uint8Array | null>): PgTypes.Parameter => list(values, OID.bytea)

const list = (values: ReadonlyArray<unknown>, oid: number): PgTypes.Parameter =>
  Result.getOrThrow(Driver.types().array(values, oid))

/** Of the types of Postgres, which never change. */
const OID = { bytea: 17, int8: 20, text: 25 }

/** How values are read: `int8` as a number, and texts as they were given. */
export const types = (): PgTypes.Registry => {
  const { encode, makeRegistry } = Driver.types()
  const registry = makeRegistry()
  registry.register(OID.int8, {
    encode: (value: number) => encode(BigInt(value), OID.int8),
    decode: (value) => Result.succeed(Number(viewOf(value).getBigInt64(0))),
    read: (value, offset) => Result.succeed(Number(viewOf(value).getBigInt64(offset)))
  })
  registry.register(OID.text, {
    encode: (value: string) => Result.succeed(Buffer.from(value)),
    decode: (value) => Result.succeed(textOf(value, 0, value.byteLength)),
    read: (value, offset, size) => Result.succeed(textOf(value, offset, size))
  })
  return registry
}

const textOf = ({ buffer, byteOffset }: Uint8Array, offset: number, size: number): string =>
  restored(Buffer.from(buffer, byteOffset + offset, size).toString())

const viewOf = ({ buffer, byteLength, byteOffset }: Uint8Array) => new DataView(buffer, byteOffset, byteLength)

/** Names what Postgres, or the way to it, answered. */
export const faultOf = ({ reason }: SqlError): Fault => {
  const { code, message } = causeOf(reason.cause)
  if (reason._tag === "ConnectionError") return { ...broken(`Postgres cannot be reached (${message})`), isGone: true }
  if (reason._tag === "AuthenticationError") return broken(`Postgres refuses the user (${message})`)
  switch (code.slice(0, 2)) {
    // only its own statement is wrong
    case "22":
    case "23":
    case "42":
    case "P0":
      return { kind: "failed", detail: message, local: true }
    case "25":
      return code === "25006" ? readOnly : broken(message)
    case "53":
      return code === "53100" ? { kind: "full", detail: message, local: false } : broken(message)
    // it is being shut down, or has ended this very session
    case "57":
      return { ...broken(`Postgres ends the connection (${message})`), isGone: code !== "57014" }
    default:
      return broken(message)
  }
}

/** A fault that is none of the command's own. */
export const broken = (detail: string): Fault => ({ kind: "failed", detail, local: false })

const readOnly: Fault = {
  // another server may have become the one that is written to
  ...broken("Postgres can only be read from; it is a standby, or is told to be read-only"),
  isGone: true
}

const causeOf = (cause: unknown): { readonly code: string; readonly message: string } => ({
  code: cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "",
  message: cause instanceof Error ? cause.message : String(cause)
})

/** A statement that puts a row in place of the one that has its key. */
export const put = (table: string, keys: ReadonlyArray<string>, others: ReadonlyArray<string>): string => {
  const columns = [...keys, ...others]
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map((_, place) => `$${place + 1}`).join(", ")})
    ON CONFLICT (${keys.join(", ")}) DO UPDATE SET ${others.map((name) => `${name} = excluded.${name}`).join(", ")}`
}
