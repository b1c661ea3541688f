export * as Dam from "./dam/Dam.ts"
