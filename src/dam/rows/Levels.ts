/** What the setting `levels` says of limits without a level of their own. */

/** A database that no dam has used says nothing. */
export const othersIn = (mark: unknown): "full" | "unknown" | number => {
  if (mark === undefined || mark === "full") return "full"
  const at = Number(mark)
  return Number.isFinite(at) ? at : "unknown"
}
