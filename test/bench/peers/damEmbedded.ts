/** Our dam within the program, on a file. */
import type { Start } from "./Contender.ts"
import { Dam, EZThrottle } from "./Ours.ts"

export const start: Start = async ({ atOnce, database, target, webhook }) => {
  const unlimited = { rps: 1_000_000, maxConcurrent: atOnce }
  const pacing = { default: unlimited, receivers: unlimited }
  const client = new EZThrottle({ service: Dam.embedded({ path: database, pacing }) })
  return {
    submit: (body) => client.submitJob({ url: target, method: "POST", body, webhooks: [{ url: webhook }] }),
    stop: () => client[Symbol.asyncDispose]()
  }
}
