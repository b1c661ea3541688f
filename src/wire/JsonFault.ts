/**
 * Finds what is wrong with a text that is not JSON, or that is JSON two readers could read differently.
 *
 * @since 0.1.0
 */

/**
 * The first thing wrong.
 *
 * @category models
 * @since 0.1.0
 */
export interface JsonFault {
  readonly code: "invalid_json" | "duplicate_key" | "invalid_number" | "invalid_unicode"
  readonly problem: string
  /** The path, such as `webhooks[0].url`; `undefined` where the text is not JSON, and at the root. */
  readonly field: string | undefined
  /** Offset in UTF-16 code units. */
  readonly at: number
}

/**
 * Reads a text and names its first fault; `undefined` when it has none.
 *
 * **Details** — a text that is not JSON is called that, whatever else is wrong with it.
 * What it is inside of stands in a list, so no depth is too much for it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const findFault = (text: string): JsonFault | undefined => {
  const reader = new Reader(text)
  return reader.document() ?? reader.end() ?? reader.ambiguity
}

interface OpenObject {
  readonly close: "}"
  readonly field: string
  readonly seen: Set<string>
}

interface OpenList {
  readonly close: "]"
  readonly field: string
  /** Of the next item. */
  index: number
}

type Opened = OpenObject | OpenList

class Reader {
  readonly #text: string
  #at = 0
  /** The first thing that is JSON and still says two things. */
  ambiguity: JsonFault | undefined = undefined

  constructor(text: string) {
    this.#text = text
  }

  /** Reads one value and everything in it. */
  document(): JsonFault | undefined {
    const open: Array<Opened> = []
    let field: string | undefined = ""
    while (field !== undefined) {
      const opened = this.#open(field)
      const fault = opened === undefined ? this.#scalar(field) : undefined
      if (fault !== undefined) return fault
      if (opened !== undefined && !this.#takes(opened.close)) {
        open.push(opened)
        const first = this.#place(opened)
        if (typeof first !== "string") return first
        field = first
      } else {
        const next = this.#after(open)
        if (typeof next === "object") return next
        field = next
      }
    }
    return undefined
  }

  /** A value has ended: whatever holds it goes on, or ends as well. The place of the next one, if there is one. */
  #after(open: Array<Opened>): string | JsonFault | undefined {
    for (let holder = open.at(-1); holder !== undefined; holder = open.at(-1)) {
      if (this.#takes(",")) return this.#place(holder)
      if (!this.#takes(holder.close)) return this.#expected(`a comma or ${holder.close}`)
      open.pop()
    }
    return undefined
  }

  #open(field: string): Opened | undefined {
    this.#skipBlanks()
    const char = this.#text[this.#at]
    if (char !== "{" && char !== "[") return undefined
    this.#at++
    return char === "{" ? { close: "}", field, seen: new Set() } : { close: "]", field, index: 0 }
  }

  #scalar(field: string): JsonFault | undefined {
    if (this.#text[this.#at] === '"') return this.#string(field)
    for (const word of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length
        return undefined
      }
    }
    return this.#number(field)
  }

  /** Where the next value of an object or a list stands; of an object after its key. */
  #place(holder: Opened): string | JsonFault {
    return holder.close === "}" ? this.#key(holder) : `${holder.field}[${holder.index++}]`
  }

  end(): JsonFault | undefined {
    this.#skipBlanks()
    return this.#at === this.#text.length ? undefined : this.#expected("the end")
  }

  #key({ field, seen }: OpenObject): string | JsonFault {
    this.#skipBlanks()
    const start = this.#at
    if (this.#text[start] !== '"') return this.#expected("a key in double quotes")
    const malformed = this.#quoted()
    if (malformed !== undefined) return malformed
    const key: string = JSON.parse(this.#text.slice(start, this.#at))
    const path = field === "" ? shown(key) : `${field}.${shown(key)}`
    if (!key.isWellFormed()) this.#note("invalid_unicode", path, start)
    else if (seen.has(key)) this.#note("duplicate_key", path, start)
    seen.add(key)
    return this.#takes(":") ? path : this.#expected("a colon")
  }

  #string(field: string): JsonFault | undefined {
    const start = this.#at
    const malformed = this.#quoted()
    if (malformed !== undefined) return malformed
    const value: string = JSON.parse(this.#text.slice(start, this.#at))
    if (!value.isWellFormed()) this.#note("invalid_unicode", field, start)
    return undefined
  }

  /** Moves behind the closing quote. */
  #quoted(): JsonFault | undefined {
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text.charCodeAt(this.#at)
      if (char === QUOTE) {
        this.#at++
        return undefined
      }
      if (char < 0x20) return this.#expected("an escape instead of a control character")
      if (char !== BACKSLASH) continue
      ESCAPE.lastIndex = this.#at
      if (!ESCAPE.test(this.#text)) return this.#expected("a known escape")
      this.#at = ESCAPE.lastIndex - 1
    }
    return this.#expected("a closing quote")
  }

  #number(field: string): JsonFault | undefined {
    NUMBER.lastIndex = this.#at
    const [digits] = NUMBER.exec(this.#text) ?? []
    if (digits === undefined) return this.#expected("a value")
    if (!Number.isFinite(Number(digits))) this.#note("invalid_number", field, this.#at)
    this.#at += digits.length
    return undefined
  }

  #takes(char: string): boolean {
    this.#skipBlanks()
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #skipBlanks(): void {
    while (BLANKS.has(this.#text.charCodeAt(this.#at))) this.#at++
  }

  #note(code: keyof typeof AMBIGUITIES, field: string, at: number): void {
    this.ambiguity ??= { code, problem: AMBIGUITIES[code], field: field === "" ? undefined : field, at }
  }

  #expected(what: string): JsonFault {
    return { code: "invalid_json", problem: `not JSON, expected ${what}`, field: undefined, at: this.#at }
  }
}

/** A key as it may be repeated in an answer. */
const shown = (key: string): string => (key.length <= 100 ? key : `${key.slice(0, 100)}…`).toWellFormed()

const AMBIGUITIES = {
  duplicate_key: "the key stands twice in one object",
  invalid_number: "the number is too large",
  invalid_unicode: "the text holds half of a surrogate pair"
}
const WORDS = ["true", "false", "null"]
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])
const QUOTE = 0x22
const BACKSLASH = 0x5c
