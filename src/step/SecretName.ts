/**
 * Which names speak of secrets: what they stand for is sent, and never shown.
 *
 * @since 0.1.0
 */

const SECRET = /authorization|cookie|token|secret|api[-_]?key|password|signature|credential/i

/**
 * Tells whether a header or field of this name holds a secret, as far as a name can tell: `Authorization`, cookies,
 * tokens, API keys, passwords, signatures.
 *
 * @category guards
 * @since 0.1.0
 */
export const isSecretName = (name: string): boolean => SECRET.test(name)
