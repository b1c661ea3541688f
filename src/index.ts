export * as EZThrottle from "./run/EZThrottle.ts"
export * as Step from "./step/Step.ts"
