/** What people type to run this command: whoever has it from `npx` has no `ezthrottle` in their shell. */

/**
 * A command of one project, or of the cache of `npx`, is in nobody's path; one that was installed for the whole machine
 * is. `script` is the file that Node was started with.
 */
export const commandName = (script: string | undefined): string =>
  /[\\/](_npx[\\/]|node_modules[\\/]\.bin[\\/]ezthrottle)/.test(script ?? "") ? "npx ezthrottle-effect" : "ezthrottle"

/** A message whose commands can be typed as they stand. */
export const typed = (message: string, command: string = commandName(process.argv[1])): string =>
  message.replaceAll(/(?<=[`"])ezthrottle(?= )/g, command)
