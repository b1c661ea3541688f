/**
 * The program of the store's threads. The package has it as a file, and once more as a text for bundles, which leave such
 * files behind: `tsup.config.ts` puts both in place of this address.
 */

/** What a thread is started with. */
export const program = new URL("./sqliteWorker.ts", import.meta.url)
