/** A program that uses a client and prints nothing itself. */
import { EZThrottle, IdempotentStrategy, Step } from "../../src/promise.ts"

const place = process.argv[2]
await using client = new EZThrottle({ apiKey: "key-1", tracktagsUrl: place, ezthrottleUrl: place })
const url = "https://api.example.com/orders"
await new Step(client).url(url).idempotentStrategy(IdempotentStrategy.UNIQUE).execute()
await client.submitJob({ url, idempotentKey: "order-7" })
await client.submitJob({ url: "no url" }).catch(() => undefined)
