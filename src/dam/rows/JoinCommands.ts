/** What a database must do for jobs that become one, or share an answer, in plain data: a part of `Commands`. */

/** What they need; filing and ending jobs does the rest. */
export interface JoinCommands {
  /** The job of a key that waits to be replaced, by its id, and since when it is put off. */
  readonly debounced: (customer: string, key: string) => { readonly id: string; readonly since: number } | undefined
  /** Jobs that wait for the answer of another one, by their ids. */
  readonly following: (leaderId: string, limit: number) => ReadonlyArray<string>
}
