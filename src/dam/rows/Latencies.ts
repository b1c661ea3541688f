/** How long calls took, as it is stored of a span. */
import type { HistoryEntry } from "../store/HistoryRecords.ts"
import type { Row } from "./Row.ts"

/** Those of an entry beside what the row of its span holds already. */
export const latencies = ({ latency }: HistoryEntry, before: Row | undefined): string =>
  JSON.stringify(sum(latency, before === undefined ? [] : JSON.parse(String(before["latency"]))))

const sum = (one: HistoryEntry["latency"], other: HistoryEntry["latency"]): HistoryEntry["latency"] => {
  const bins = new Map(one)
  for (const [bin, calls] of other) bins.set(bin, (bins.get(bin) ?? 0) + calls)
  return [...bins].toSorted(([self], [that]) => self - that)
}
