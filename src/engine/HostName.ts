/**
 * What a host is called wherever it is paced.
 *
 * @since 0.1.0
 */

/**
 * Names the host of a URL: in normal form, with its effective port, such as `api.example.com:443`.
 *
 * @category accessors
 * @since 0.1.0
 */
export const hostOf = ({ hostname, port, protocol }: Pick<URL, "hostname" | "port" | "protocol">): string => {
  const host = hostname.endsWith(".") ? hostname.slice(0, -1) : hostname
  return `${host}:${port === "" ? defaultPort(protocol) : port}`
}

/**
 * The port that stands for none.
 *
 * @category accessors
 * @since 0.1.0
 */
export const defaultPort = (protocol: string): number => (protocol === "https:" ? 443 : 80)
