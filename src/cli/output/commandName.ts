/** What people type to run this command: whoever has it from `npx` has no `ezthrottle` in their shell. */

/**
 * A command of one project, or of the cache of `npx`, is in nobody's path; one that was installed for the whole machine
 * is. `script` is the file that Node was started with, which tells the two apart but on Windows; there `event` does, which
 * is what `npm_lifecycle_event` says.
 */
export const commandName = (script: string | undefined, event: string | undefined): string => {
  const isNear = /[\\/](_npx[\\/]|node_modules[\\/]\.bin[\\/]ezthrottle)/.test(script ?? "")
  const isOurs = /[\\/]ezthrottle-effect[\\/]dist[\\/]bin\.js$/.test(script ?? "")
  return isNear || (isOurs && event === "npx") ? "npx ezthrottle-effect" : "ezthrottle"
}

// of this process; a variable alone would be inherited by whatever npx starts
const here = (): string => commandName(process.argv[1], process.env["npm_lifecycle_event"])

/** A message whose commands can be typed as they stand. */
export const typed = (message: string, command: string = here()): string =>
  message.replaceAll(/(?<=[`"])ezthrottle(?= )/g, command)

/** The same for a whole command line. */
export const typedLine = (line: string, command: string = here()): string =>
  line.replaceAll(/(?<=^|\s)ezthrottle(?= )/g, command)
