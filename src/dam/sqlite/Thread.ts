/**
 * The program of the store's threads. Here it is a file; in the package it is a part of the module that starts them, so
 * that no bundler has to find it: `tsup.config.ts` puts it in place of this address.
 */

/** What a thread is started with. */
export const program = new URL("./sqliteWorker.ts", import.meta.url)
