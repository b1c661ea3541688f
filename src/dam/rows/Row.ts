/** Rows as the database answers them. */

/** What one column of one row holds. */
export type Cell = string | number | bigint | Uint8Array | null

/** A row as the database answers it, by the names of its columns; nothing is known of it before it was read. */
export type Row = Readonly<Record<string, Cell>>
