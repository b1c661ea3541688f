/**
 * Node: a client in one call, undici without a client in between, regions behind HTTP proxies, and a durable store for
 * received webhooks.
 *
 * @since 0.1.0
 */
export * as NodeClient from "./run/NodeClient.ts"
export * as SqliteEventStore from "./receive/SqliteEventStore.ts"
export * as UndiciTransport from "./transport/UndiciTransport.ts"
