/** Bytes as base64, without the decoder that stands beside Effect's encoder. */

export const encode = (bytes: Uint8Array): string => {
  let binary = ""
  for (let at = 0; at < bytes.length; at += PIECE) binary += String.fromCharCode(...bytes.subarray(at, at + PIECE))
  return btoa(binary)
}

/** As many as a function takes arguments, with room to spare. */
const PIECE = 8192
