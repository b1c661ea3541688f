#!/usr/bin/env node
export { started } from "./cli/start.ts"
