/** The names that the options of a dam have, and what is wrong with others. */
import * as Names from "../../step/Names.ts"

/** Every name, as the guide tells them: the file's in camelCase, and those that an embedded dam has besides. */
export const names = {
  path: true,
  database: true,
  credentials: true,
  pacing: {
    default: { rps: true, maxConcurrent: true, find: true, told: true },
    receivers: { rps: true, maxConcurrent: true, find: true, told: true },
    hosts: {
      "*": { rps: true, maxConcurrent: true, find: true, told: true, refusals: true, usedUp: true, lane: true }
    },
    burst: true,
    breaker: {
      failureRate: true,
      minimum: true,
      window: true,
      coolDown: true,
      longest: true,
      ramp: true,
      step: true
    },
    keysPerHost: true,
    weights: true,
    bounds: { minRps: true, maxRps: true, minConcurrent: true, maxConcurrent: true }
  },
  callLimits: {
    "*": {
      rate: true,
      per: true,
      burst: true,
      concurrency: true,
      settle: { header: true, json: true },
      weights: true
    }
  },
  presets: { off: true, own: true },
  regions: true,
  retry: {
    maxRetries: true,
    maxReroutes: true,
    retryCodes: true,
    rerouteCodes: true,
    unsafe: true,
    base: true,
    cap: true
  },
  attempts: { timeout: true, connectTimeout: true, patience429: true, responseBytes: true },
  webhooks: {
    schedule: true,
    timeout: true,
    concurrency: true,
    disableAfter: { failures: true, failingFor: true },
    probeEvery: true,
    followRedirects: true,
    thinAfter413: true,
    linkLifetime: true,
    redrive: true,
    l8: { default: true, hosts: true, privateKey: true, serviceName: true }
  },
  notices: {
    urls: true,
    events: true,
    thresholds: { endpointFailures: true, deadLetters: true, laneHeld: true, storedBytes: true, memoryBytes: true }
  },
  publicUrl: true,
  retention: true,
  textSearch: true,
  drain: true,
  egress: { allowPrivate: true, allow: true },
  admission: {
    queuedJobs: true,
    customerJobs: true,
    schedules: true,
    runningJobs: true,
    storedBytes: true,
    memoryBytes: true,
    fileBytes: true
  },
  limits: true,
  masterKey: true,
  resumeCopy: true,
  executor: true,
  clockEvery: true
} as const

/** The same of names below names; `*` is any. */
export const problemIn = (given: unknown, known: object, at = ""): string | undefined => {
  // a policy that was made already has names of its own
  if (typeof given !== "object" || given === null || "ranges" in given) return undefined
  const all: ReadonlyArray<readonly [name: string, below: unknown]> = Object.entries(known)
  const anything = all.find(([name]) => name === "*")?.[1]
  const misspelt = anything === undefined ? Names.problemOf(given, Object.keys(known), at) : undefined
  if (misspelt !== undefined) return misspelt
  const below = new Map(all)
  return Object.entries(given)
    .map(([name, value]: [string, unknown]) => {
      const names = below.get(name) ?? anything
      return typeof names === "object" && names !== null ? problemIn(value, names, `${at}${name}.`) : undefined
    })
    .find((problem) => problem !== undefined)
}

/** Those from before they were the names of the file. */
export const earlier = {
  attemptTimeout: true,
  connectTimeout: true,
  deliveries: true,
  l8: true,
  maxBytes: true,
  maxMemoryBytes: true,
  maxQueued: true,
  maxResponseBytes: true,
  maxRunning: true,
  maxStoredBytes: true,
  memoryBytes: true,
  pacing: { ...names.pacing, pace: names.pacing.default },
  patience429: true,
  retryUnsafe: true,
  unsetPolicy: true,
  webhookRedirects: true
}
