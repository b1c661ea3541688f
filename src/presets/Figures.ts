/**
 * Reads single figures: amounts, and moments in the notation that a preset names.
 *
 * What cannot be understood is not there, and no figure is below zero or without end.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import * as Moment from "../engine/Moment.ts"
import type { Notation } from "./Preset.ts"

/**
 * An amount, with its sign. A window that some append to it, `20;w=21600`, is no part of it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const amount = (value: Schema.Json | undefined): number | undefined => {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined
  const text = typeof value === "string" ? value.replace(/\s*;.*$/s, "").trim() : ""
  return /^-?\d{1,15}(?:\.\d{1,20})?$/.test(text) ? Number(text) : undefined
}

/**
 * How long a window is that is appended to an amount, in milliseconds.
 *
 * @category decoding
 * @since 0.1.0
 */
export const appendedWindow = (value: string | undefined): number | undefined => {
  const [, seconds] = /;\s*w=(\d{1,9})\s*$/.exec(value ?? "") ?? []
  return seconds === undefined || Number(seconds) === 0 ? undefined : Number(seconds) * 1000
}

/**
 * Milliseconds from now until then, rounded up.
 *
 * @category decoding
 * @since 0.1.0
 */
export const until = (value: Schema.Json | undefined, notation: Notation, nowMillis: number): number | undefined => {
  const text = typeof value === "number" ? String(value) : typeof value === "string" ? value.trim() : undefined
  return text === undefined ? undefined : Moment.whole(readers[notation](text, nowMillis))
}

const decimal = (text: string): number | undefined =>
  /^\d{1,15}(?:\.\d{1,20})?$/.test(text) ? Number(text) : undefined

const scaled =
  (factor: number, from: (nowMillis: number) => number) =>
  (text: string, nowMillis: number): number | undefined => {
    const number = decimal(text)
    return number === undefined ? undefined : number * factor - from(nowMillis)
  }

const fromNow = () => 0
const from1970 = (nowMillis: number) => nowMillis

const readers: { readonly [One in Notation]: (text: string, nowMillis: number) => number | undefined } = {
  seconds: scaled(1000, fromNow),
  millis: scaled(1, fromNow),
  epoch_seconds: scaled(1000, from1970),
  epoch_millis: scaled(1, from1970),
  length: Moment.lengthIn,
  date: Moment.momentIn,
  any: Moment.untilMillis
}
