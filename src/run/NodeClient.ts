/**
 * A whole client for Node in one call: calls of its own over undici, EZThrottle as the environment says.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Layer from "effect/Layer"
import type { ConnectionOptions } from "../transport/UndiciTransport.ts"
import * as UndiciTransport from "../transport/UndiciTransport.ts"
import * as Client from "./Client.ts"
import type { EZThrottle } from "./EZThrottle.ts"

/**
 * How a client for Node is set up; key and base URLs as in `Client.layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface NodeClientOptions extends Omit<Client.ClientOptions, "transport">, ConnectionOptions {}

/**
 * Provides a client whose own calls go over undici; its connections close with the layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: NodeClientOptions = {}): Layer.Layer<EZThrottle, Config.ConfigError> =>
  Client.layer({ ...options, transport: UndiciTransport.make(options) })
