/** A peer that speaks L8 with Node's own cryptography and shares no code with ours. */
import { generateKeyPairSync, sign as nodeSign, verify as nodeVerify } from "node:crypto"

export const peer = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519")
  const raw = Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url")
  const seed = Buffer.from(String(privateKey.export({ format: "jwk" }).d), "base64url")
  const sign = (text: string) => nodeSign(null, Buffer.from(text), privateKey).toString("base64")
  const accepts = (signature: string, text: string) =>
    nodeVerify(null, Buffer.from(text), publicKey, Buffer.from(signature, "base64"))
  return {
    /** As `L8_PRIVATE_KEY` has it. */
    secret: Buffer.concat([seed, raw]).toString("base64"),
    publicKey: raw.toString("base64"),
    sign,
    accepts,
    document: (change: Readonly<Record<string, unknown>> = {}) => ({
      protocol_version: "0.1",
      service_name: "a peer",
      public_key: raw.toString("base64"),
      challenge_endpoint: "/l8/challenge",
      supported_algorithms: ["ed25519"],
      capabilities: ["signed_payloads"],
      ...change
    }),
    challenge: (change: Readonly<Record<string, unknown>> = {}, timestamp = 0): Readonly<Record<string, unknown>> => {
      const asked: Record<string, unknown> = {
        challenge_id: crypto.randomUUID(),
        nonce: crypto.randomUUID(),
        timestamp,
        sender_public_key: raw.toString("base64"),
        ...change
      }
      return { signature: sign(`${asked["challenge_id"]}:${asked["nonce"]}`), ...asked, ...change }
    },
    answer: (
      { challenge_id, nonce }: { readonly challenge_id: string; readonly nonce: string },
      change: Readonly<Record<string, unknown>> = {}
    ) => ({
      challenge_id,
      nonce,
      receiver_signature: sign(`${challenge_id}:${nonce}`),
      receiver_public_key: raw.toString("base64"),
      ...change
    })
  }
}

export type Peer = ReturnType<typeof peer>
