/** Has the examples run on the sources, so that nothing has to be built before the first of them can be seen. */
import { registerHooks } from "node:module"

registerHooks({
  resolve: (specifier, context, next) => {
    const [, entry = "index"] = /^ezthrottle-effect(?:\/(.+))?$/.exec(specifier) ?? [undefined, undefined]
    const isOwn = /^ezthrottle-effect(?:\/|$)/.test(specifier)
    return next(isOwn ? new URL(`../../../src/${entry}.ts`, import.meta.url).href : specifier, context)
  }
})
