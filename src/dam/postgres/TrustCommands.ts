/** What L8 remembers, as statements: nonces that were seen, and what is known of origins. */
import * as Effect from "effect/Effect"
import type { TrustCommands } from "../rows/TrustCommands.ts"
import { type Over, put, type Session } from "./Session.ts"

const save = put("l8_trust", ["origin"], ["public_key", "proved_at", "changed_key", "revoked_at"])

/** The commands. */
export const trustCommands = (on: Session): Over<TrustCommands> => ({
  takeL8Nonce: Effect.fnUntraced(function* (nonce, now, keepMillis, most) {
    yield* on.run("DELETE FROM l8_nonces WHERE seen_at < $1", now - keepMillis)
    const known = yield* on.one(
      "SELECT count(*) AS nonces, count(*) FILTER (WHERE nonce = $1) AS seen FROM l8_nonces",
      nonce
    )
    if (Number(known?.["seen"]) > 0) return "Seen"
    if (Number(known?.["nonces"]) >= most) return "Full"
    yield* on.run("INSERT INTO l8_nonces VALUES ($1, $2)", nonce, now)
    return "Taken"
  }),
  l8Trust: (origin) => on.one("SELECT * FROM l8_trust WHERE origin = $1", origin),
  l8Trusts: (limit) => on.all("SELECT * FROM l8_trust ORDER BY origin LIMIT $1", limit),
  saveL8Trust: (...row) => Effect.asVoid(on.run(save, ...row)),
  forgetL8Trust: (origin) =>
    Effect.map(on.run("DELETE FROM l8_trust WHERE origin = $1", origin), (removed) => removed === 1)
})
