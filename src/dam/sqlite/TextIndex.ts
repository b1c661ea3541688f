/**
 * The index of the texts that a search looks for: an FTS5 table of the groups of three characters that the URL and the
 * error of a job have, and of which jobs have them. It holds no texts and nothing else of a job.
 *
 * It is filled behind the writer: no commit that takes a job in or ends it writes to it, but `fill` does, a portion at a
 * time. What it holds already ends at a mark, and a job that got its error behind the mark's back is noted. So a search
 * knows which jobs it must look at itself, and finds the same whether there is an index, how far it has come, or none
 * (decision 0052).
 */
import type { DatabaseSync } from "node:sqlite"
import type { Row } from "../rows/Commands.ts"
import { textIn } from "../rows/Looking.ts"

/** The index of one database. */
export interface TextIndex {
  /** Takes in what is new, so many jobs at most; answers how many. */
  readonly fill: (jobs: number) => number
  /** Notes that a job may have got an error. */
  readonly changed: (seq: number) => void
  /** Takes a job out. */
  readonly remove: (seq: number) => void
  /** Does a little of the work that removing leaves behind. */
  readonly tidy: () => void
  /** Finds the jobs that may have all these texts; `undefined` where they are too many, or the texts are too short. */
  readonly find: (texts: ReadonlyArray<string>, order: Order) => Candidates | undefined
}

/** Which jobs are wanted, in which order. */
export interface Order {
  readonly behind: number
  readonly oldestFirst: boolean
}

/** Jobs that must be looked at: these, and all that came after one of them. */
export interface Candidates {
  readonly jobs: ReadonlyArray<number>
  /** The last job that the index holds. */
  readonly mark: number
}

/** Makes or drops the index, as it is wanted; says in words why it cannot be made. */
export const settle = (db: Pick<DatabaseSync, "exec" | "prepare">, isWanted: boolean): string | undefined => {
  const isKnown = db.prepare("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").get() !== undefined
  if (isWanted && !isKnown) return "text search needs an SQLite with FTS5, which this runtime has not; turn it off"
  if (!isWanted) db.exec(isKnown ? drop : forget)
  else if (!isThere(db)) db.exec(drop + make)
  return undefined
}

/** The index of a database, if it has one. */
export const over = (db: DatabaseSync): TextIndex | undefined => {
  if (!isThere(db)) return undefined
  const on = prepare(db)
  const mark = (): number => Number(on.mark.get()?.["value"])
  return {
    fill: (jobs) => fill(on, mark(), jobs),
    changed: (seq) => void on.change.run(seq, seq),
    remove: (seq) => void on.remove.run(seq),
    tidy: () => void on.merge.run(mergedPages),
    find: (texts, order) => find(on, mark(), texts, order)
  }
}

const isThere = (db: Pick<DatabaseSync, "prepare">): boolean =>
  db.prepare("SELECT 1 FROM settings WHERE name = 'texts'").get() !== undefined

// Texts are small letters already. FTS5 would merge its segments in the middle of a commit, many at once; here each
// portion merges a few pages. Of what was removed it is rid when that is half of a segment: a tenth, its default, writes
// the index six times over while its jobs go.
const make = `
  CREATE VIRTUAL TABLE texts
    USING fts5(text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1');
  INSERT INTO texts (texts, rank) VALUES ('automerge', 0), ('crisismerge', 1000), ('deletemerge', 50);
  INSERT INTO settings VALUES ('texts', '0');
`

/** What a runtime without FTS5 can do: the table stays, and one that can drop it does so at its next start. */
const forget = `
  DELETE FROM settings WHERE name = 'texts';
  DELETE FROM texts_due;
`

const drop = `
  DROP TABLE IF EXISTS texts;
  ${forget}
`

/** Pages that a portion merges: what a portion of jobs with long URLs writes, on each of five levels. */
const mergedPages = 40

/** A portion ends behind so many bytes: reading the URL of a job reads its body as well. */
const filledBytes = 4 * 1024 * 1024

/** Columns that hold the texts of a job; one whose JSON is damaged has none. */
export const textOf = `iif(json_valid(step), json_extract(step, '$.url'), NULL) AS url,
  iif(json_valid(result), json_extract(result, '$.error.message'), NULL) AS error,
  octet_length(step) + coalesce(octet_length(result), 0) AS bytes`

const prepare = (db: DatabaseSync) => ({
  mark: db.prepare("SELECT value FROM settings WHERE name = 'texts'"),
  setMark: db.prepare("UPDATE settings SET value = CAST(CAST(? AS INTEGER) AS TEXT) WHERE name = 'texts'"),
  next: db.prepare(
    `SELECT seq, ${textOf} FROM payloads LEFT JOIN results USING (seq) WHERE seq > ? ORDER BY seq LIMIT 1`
  ),
  one: db.prepare(`SELECT seq, ${textOf} FROM payloads LEFT JOIN results USING (seq) WHERE seq = ?`),
  insert: db.prepare("INSERT INTO texts (rowid, text) VALUES (?, ?)"),
  replace: db.prepare("INSERT OR REPLACE INTO texts (rowid, text) VALUES (?, ?)"),
  remove: db.prepare("DELETE FROM texts WHERE rowid = ?"),
  merge: db.prepare("INSERT INTO texts (texts, rank) VALUES ('merge', ?)"),
  change: db.prepare(
    `INSERT OR IGNORE INTO texts_due SELECT ? FROM settings WHERE name = 'texts' AND CAST(value AS INTEGER) >= ?`
  ),
  due: db.prepare("SELECT seq FROM texts_due ORDER BY seq LIMIT ?"),
  settled: db.prepare("DELETE FROM texts_due WHERE seq = ?"),
  // FTS5 goes to a place by a whole number only
  newest: db.prepare(
    "SELECT rowid AS seq FROM texts WHERE texts MATCH ? AND rowid < CAST(? AS INTEGER) ORDER BY rowid DESC LIMIT ?"
  ),
  oldest: db.prepare(
    "SELECT rowid AS seq FROM texts WHERE texts MATCH ? AND rowid > CAST(? AS INTEGER) ORDER BY rowid ASC LIMIT ?"
  )
})

type Statements = ReturnType<typeof prepare>

/** Errors first: their jobs are among those that a search looks at one by one until then. */
const fill = (on: Statements, mark: number, jobs: number): number => {
  let filled = 0
  let bytes = 0
  let last = mark
  for (const { seq = null } of on.due.all(jobs)) {
    if (bytes >= filledBytes) break
    const job = on.one.get(seq)
    on.settled.run(seq)
    filled++
    if (job === undefined) continue
    on.replace.run(seq, indexed(job))
    bytes += Number(job["bytes"])
  }
  while (filled < jobs && bytes < filledBytes) {
    const job = on.next.get(last)
    if (job === undefined) break
    last = Number(job["seq"])
    on.insert.run(last, indexed(job))
    filled++
    bytes += Number(job["bytes"])
  }
  if (filled === 0) return 0
  on.setMark.run(last)
  on.merge.run(mergedPages)
  return filled
}

/** Some versions of FTS5 end a text at a zero. */
const indexed = (job: Row): string => textIn(job).replaceAll("\0", " ")

/** More jobs than these are not few: whoever walks through all jobs finds one of them soon. */
const fewAtMost = 5_000

const find = (
  on: Statements,
  mark: number,
  texts: ReadonlyArray<string>,
  { behind, oldestFirst }: Order
): Candidates | undefined => {
  const query = queryOf(texts)
  if (query === undefined) return undefined
  const due = on.due.all(fewAtMost + 1)
  const found = (oldestFirst ? on.oldest : on.newest).all(query, behind, fewAtMost + 1)
  if (due.length > fewAtMost || found.length > fewAtMost) return undefined
  return { jobs: [...due, ...found].map(({ seq }) => Number(seq)), mark }
}

/** So many groups tell a text from others; each further one costs a look. */
const groupsAtMost = 64

/** Asks for what all these texts consist of. Each group stands in quotation marks, so that none of them is syntax. */
const queryOf = (texts: ReadonlyArray<string>): string | undefined => {
  const groups = new Set(texts.flatMap(groupsOf))
  return groups.size === 0
    ? undefined
    : Array.from(groups, (group) => `"${group.replaceAll('"', '""')}"`)
        .slice(0, groupsAtMost)
        .join(" AND ")
}

/** The groups of three characters of a text, but for those that SQLite may keep as something else. */
const groupsOf = (text: string): ReadonlyArray<string> => {
  const characters = Array.from(text)
  return characters
    .slice(2)
    .map((third, place) => `${characters[place]}${characters[place + 1]}${third}`)
    .filter((group) => !UNSURE.test(group))
}

const UNSURE = /[\0\uFFFD\p{Cs}]/u
