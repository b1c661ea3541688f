/** What L8 remembers, as statements: nonces that were seen, and what is known of origins. */
import type { DatabaseSync } from "node:sqlite"
import type { TrustCommands } from "../rows/TrustCommands.ts"

/** Prepares the statements once and makes the commands over them. */
export const trustCommands = (db: DatabaseSync): TrustCommands => {
  const forgetNonces = db.prepare("DELETE FROM l8_nonces WHERE seen_at < ?")
  const knowsNonce = db.prepare("SELECT 1 FROM l8_nonces WHERE nonce = ?")
  const nonces = db.prepare("SELECT count(*) AS count FROM l8_nonces")
  const addNonce = db.prepare("INSERT INTO l8_nonces VALUES (?, ?)")
  const trust = db.prepare("SELECT * FROM l8_trust WHERE origin = ?")
  const trusts = db.prepare("SELECT * FROM l8_trust ORDER BY origin LIMIT ?")
  const save = db.prepare("INSERT OR REPLACE INTO l8_trust VALUES (?, ?, ?, ?, ?)")
  const forget = db.prepare("DELETE FROM l8_trust WHERE origin = ?")

  return {
    takeL8Nonce: (nonce, now, keepMillis, most) => {
      forgetNonces.run(now - keepMillis)
      if (knowsNonce.get(nonce) !== undefined) return "Seen"
      if (Number(nonces.get()?.["count"]) >= most) return "Full"
      addNonce.run(nonce, now)
      return "Taken"
    },
    l8Trust: (origin) => trust.get(origin),
    l8Trusts: (limit) => trusts.all(limit),
    saveL8Trust: (...row) => {
      save.run(...row)
    },
    forgetL8Trust: (origin) => forget.run(origin).changes === 1
  }
}
