/** The version of this package, as package.json says it. */
export const version = "0.1.0"

/** What the dam calls itself towards targets and webhooks that were given no `User-Agent`. */
export const userAgent = `ezthrottle-effect/${version}`
