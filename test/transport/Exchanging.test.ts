import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as LocalTransport from "../../src/transport/LocalTransport.ts"
import * as UndiciTransport from "../../src/transport/UndiciTransport.ts"
import { suite } from "../conformance/exchanging.ts"

const overClient = (client: Layer.Layer<HttpClient.HttpClient>) => (options?: LocalTransport.LocalOptions) =>
  Effect.map(Layer.build(client), (context) =>
    LocalTransport.make(Context.get(context, HttpClient.HttpClient), options)
  )

suite("fetch", {
  make: (options) => Effect.sync(() => LocalTransport.makeFetch(options)),
  sendsGetWithBody: false,
  decodes: true
})

suite("an HttpClient made of fetch", {
  make: overClient(FetchHttpClient.layer),
  sendsGetWithBody: false,
  decodes: true
})

suite("an HttpClient made of undici", {
  make: overClient(NodeHttpClient.layerUndici),
  sendsGetWithBody: true,
  decodes: false
})

suite("undici's dispatcher", { make: UndiciTransport.make, sendsGetWithBody: true, decodes: true })
