/** What an event stream is written in. */
import * as Sse from "effect/encoding/Sse"
import type * as Schema from "effect/Schema"

export interface Said {
  /** What a client that comes back names as the last it has seen; left out where it has seen nothing new. */
  readonly id?: string
  readonly event: string
  readonly data: Schema.JsonObject
}

/** An event as it stands on the wire. */
export const frame = ({ data, event, id }: Said): string =>
  Sse.encoder.write({ _tag: "Event", id, event, data: JSON.stringify(data) })

/** A comment, which the encoder knows nothing of, and no event, which an empty line would make one of for some: keeps what lies between from closing a stream on which nothing is said. */
export const stillHere = ": still here\n"
