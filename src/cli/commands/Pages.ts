/** A list that the service tells page by page: asked for until there is as much as was asked for, then told. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Output from "../output/Output.ts"
import type { Query } from "../service/Query.ts"
import { Service } from "../service/Service.ts"

export interface Listing<Page, Entry> {
  readonly path: string
  readonly query: Query
  readonly schema: Schema.ConstraintDecoder<Page>
  /** Under which name a page holds its entries; they are told under it too. */
  readonly name: string
  readonly entries: (page: Page) => ReadonlyArray<Entry>
  /** Where the next page begins, if there is one. */
  readonly next: (page: Page) => string | null | undefined
  /** How many are wanted. */
  readonly limit: number
  /** The most that one page may hold. Defaults to 200. */
  readonly pageSize?: number
  readonly text: (paint: Output.Paint, entries: ReadonlyArray<Entry>, now: number) => string
}

export const list = Effect.fnUntraced(function* <Page, Entry>(listing: Listing<Page, Entry>) {
  const { limit, name, path, pageSize = 200, query, schema } = listing
  const service = yield* Service
  const entries: Array<Entry> = []
  const all: Array<Schema.Json> = []
  let cursor: string | undefined
  do {
    const page = yield* service.call({
      path,
      query: { ...query, limit: Math.min(pageSize, limit - entries.length), cursor },
      schema
    })
    entries.push(...listing.entries(page.value))
    all.push(...Output.listIn(page.json, name))
    cursor = listing.next(page.value) ?? undefined
  } while (cursor !== undefined && entries.length < limit)
  const now = yield* Clock.currentTimeMillis
  yield* Output.print({ [name]: all, more: cursor !== undefined }, (paint) => listing.text(paint, entries, now))
  if (cursor !== undefined) yield* Output.note(`and more; --limit ${limit * 4} shows them`)
})
