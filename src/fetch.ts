/**
 * A `fetch` that keeps to the pace of whom it calls.
 *
 * @since 0.1.0
 */
export { createFetch } from "./fetch/CreateFetch.ts"
export { damPermits, type DamPermitsOptions } from "./fetch/DamPermits.ts"
export type { FetchCall, FetchForwardOptions, FetchOptions, FetchRetryOptions } from "./fetch/FetchOptions.ts"
export type { DrawOptions } from "./paced/Asking.ts"
export type { LimitOptions } from "./engine/limits/LimitOptions.ts"
export type { PaceOptions } from "./paced/Pacing.ts"
