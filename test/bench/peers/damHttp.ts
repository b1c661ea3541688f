/** Our dam as a process of its own, over HTTP. */
import { post, type Start } from "./Contender.ts"

export const start: Start = async ({ database, target, webhook }) => ({
  submit: (body) =>
    post(
      `${database}/api/v1/jobs`,
      JSON.stringify({ url: target, method: "POST", body, webhooks: [{ url: webhook }] })
    ),
  stop: async () => undefined
})
