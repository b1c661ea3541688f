/**
 * A list that is left as often as it is joined, oldest first.
 *
 * It is made of links because a `Set` that lives long keeps what has left it: each table that it outgrows lies where old
 * objects lie, and until those are looked through, everything that stood in it counts as alive and is moved there too.
 */
export interface Link<A> {
  readonly value: A
  before: Link<A> | undefined
  after: Link<A> | undefined
}

export class Links<A> {
  #first: Link<A> | undefined
  #last: Link<A> | undefined

  get isEmpty(): boolean {
    return this.#first === undefined
  }

  get oldest(): Link<A> | undefined {
    return this.#first
  }

  add(value: A): Link<A> {
    const link: Link<A> = { value, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = link
    else this.#last.after = link
    this.#last = link
    return link
  }

  /** Whether it was there still. */
  remove(link: Link<A>): boolean {
    const { after, before } = link
    if (before === undefined && this.#first !== link) return false
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    // one that is gone holds none of those that are not
    link.before = undefined
    link.after = undefined
    return true
  }

  values(): ReadonlyArray<A> {
    const found: Array<A> = []
    for (let link = this.#first; link !== undefined; link = link.after) found.push(link.value)
    return found
  }
}
