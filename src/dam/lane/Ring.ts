/** Things in the order of their turns; a turn costs the same however many there are. */
export interface Ring<A> {
  readonly size: () => number
  readonly all: () => ReadonlyArray<A>
  /** Whose turn it is. */
  readonly first: () => A | undefined
  /** Passes the turn on. */
  readonly rotate: () => void
  readonly push: (one: A) => void
  readonly drop: (one: A) => void
}

/** Makes an empty ring. */
export const make = <A>(): Ring<A> => new RingOf()

// a class: each lane has one, and each customer of it
class RingOf<A> implements Ring<A> {
  private items: Array<A> = []
  private head = 0

  size(): number {
    return this.items.length - this.head
  }

  all(): ReadonlyArray<A> {
    return this.items.slice(this.head)
  }

  first(): A | undefined {
    return this.items[this.head]
  }

  rotate(): void {
    const first = this.items[this.head]
    if (first === undefined) return
    this.items.push(first)
    this.head++
    // now and then, so that a turn costs the same
    if (this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
  }

  push(one: A): void {
    // an array that grows by itself grows to seventeen, and nearly all have one
    if (this.items.length === 0) this.items = [one]
    else this.items.push(one)
  }

  drop(one: A): void {
    // who is dropped has just had its turn, so it stands at one of the ends
    const place = this.items[this.head] === one ? this.head : this.items.lastIndexOf(one)
    if (place >= this.head) this.items.splice(place, 1)
  }
}
