/** Errors with a tag, without a schema: whoever only raises them loads nothing that reads them. */
import * as Data from "effect/Data"
import type { YieldableError } from "effect/Cause"

type Fields<A> = { readonly [Name in keyof A]: A[Name] }

/** What an error is made of: nothing at all where it has no fields. */
type Given<A> = keyof A extends never ? object | void : Fields<A>

/** A class of errors; instances compare, print and end an effect as those of Effect's own `Data.TaggedError` do. */
export type TaggedErrorClass<Tag extends string> = new <A extends object = {}>(
  fields: Given<A>
) => YieldableError & { readonly _tag: Tag } & Fields<A>

/** Makes the class to extend. Unlike that of `Data`, its tag stands before the fields, in JSON too. */
export const TaggedError = <Tag extends string>(tag: Tag): TaggedErrorClass<Tag> => {
  class Tagged extends Data.Error<{ readonly _tag: Tag }> {
    constructor(fields: object | void) {
      super({ _tag: tag, ...fields })
    }
  }
  Object.defineProperty(Tagged.prototype, "name", { value: tag, configurable: true, writable: true })
  return Tagged as unknown as TaggedErrorClass<Tag> // what the fields are, each class that extends it says
}
