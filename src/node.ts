/**
 * Node: a client in one call, undici without a client in between, and regions behind HTTP proxies.
 *
 * @since 0.1.0
 */
export * as NodeClient from "./run/NodeClient.ts"
export * as UndiciTransport from "./transport/UndiciTransport.ts"
