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
export const make = <A>(): Ring<A> => {
  let items: Array<A> = []
  let head = 0
  return {
    size: () => items.length - head,
    all: () => items.slice(head),
    first: () => items[head],
    rotate: () => {
      const first = items[head]
      if (first === undefined) return
      items.push(first)
      head++
      // now and then, so that a turn costs the same
      if (head * 2 > items.length) {
        items = items.slice(head)
        head = 0
      }
    },
    push: (one) => void items.push(one),
    drop: (one) => {
      // who is dropped has just had its turn, so it stands at one of the ends
      const place = items[head] === one ? head : items.lastIndexOf(one)
      if (place >= head) items.splice(place, 1)
    }
  }
}
