/** Conditions that are put together from what a caller filters on. */
import type { Param } from "./Session.ts"

/** A piece of SQL; each `?` stands for the next of its values. */
export interface Query {
  readonly sql: string
  readonly params: ReadonlyArray<Param>
}

/** Makes one. */
export const query = (sql: string, ...params: ReadonlyArray<Param>): Query => ({ sql, params })

/** One for a value that may not be asked for. */
export const optional = (sql: string, value: Param | undefined): ReadonlyArray<Query> =>
  value === undefined ? [] : [query(sql, value)]

/** One of some values, of which there may be none. */
export const oneOf = (column: string, values: ReadonlyArray<string>): Query =>
  values.length === 0 ? query("false") : query(`${column} IN (${values.map(() => "?").join(", ")})`, ...values)

/** A statement whose `WHERE` are these conditions, with its values numbered; `?` after it go on with theirs. */
export const where = (before: string, conditions: ReadonlyArray<Query>, after: Query): Query => {
  let place = 0
  const sql = `${before} WHERE ${conditions.map((one) => one.sql).join(" AND ")} ${after.sql}`
  return {
    sql: sql.replace(/\?/g, () => `$${++place}`),
    params: [...conditions, after].flatMap(({ params }) => params)
  }
}

/** The distinct values of a column, out of an index that a whole read of would be dear: it leaps from one to the next. */
export const distinct = (column: string, from: string, name = column): string => `WITH RECURSIVE found (value) AS (
    (SELECT ${column} FROM ${from} ORDER BY ${column} LIMIT 1)
    UNION ALL
    SELECT (SELECT ${column} FROM ${from} AND ${column} > found.value ORDER BY ${column} LIMIT 1)
    FROM found WHERE value IS NOT NULL
  ) SELECT value AS ${name} FROM found WHERE value IS NOT NULL`
