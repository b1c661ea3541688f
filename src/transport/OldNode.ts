/** Which Node this package takes for what needs one; `engines` in package.json says the same. */

const oldest = [22, 19] as const

/** Whether a version of Node is older. */
export const isOld = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1])
}

/** One line about it: what is needed, and what was found. */
export const needed = (what: string, version: string): string =>
  `${what} needs Node ${oldest.join(".")} or newer; this is ${version}`
