/** What a database must do for credentials, in plain data: a part of `Commands`. */

/** What credentials need. */
export interface CredentialCommands {
  readonly credentials: (customer: string) => ReadonlyArray<unknown>
  readonly credential: (customer: string, name: string) => unknown
  /** What it replaces is overwritten. */
  readonly saveCredential: (
    ...row: readonly [
      customer: string,
      name: string,
      definition: string,
      secret: string,
      madeAt: number,
      rotatedAt: number
    ]
  ) => void
  /** Whether there was one; it is overwritten. */
  readonly removeCredential: (customer: string, name: string) => boolean
}
