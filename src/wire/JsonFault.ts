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
 * **Gotchas** — it calls itself for each level: limit the depth before.
 *
 * @category decoding
 * @since 0.1.0
 */
export const findFault = (text: string): JsonFault | undefined => {
  const reader = new Reader(text)
  return reader.value("") ?? reader.end() ?? reader.ambiguity
}

class Reader {
  readonly #text: string
  #at = 0
  /** The first thing that is JSON and still says two things. */
  ambiguity: JsonFault | undefined = undefined

  constructor(text: string) {
    this.#text = text
  }

  value(field: string): JsonFault | undefined {
    this.#skipBlanks()
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(field)
      case "[":
        return this.#list(field)
      case '"':
        return this.#string(field)
    }
    for (const word of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length
        return undefined
      }
    }
    return this.#number(field)
  }

  end(): JsonFault | undefined {
    this.#skipBlanks()
    return this.#at === this.#text.length ? undefined : this.#expected("the end")
  }

  #object(field: string): JsonFault | undefined {
    this.#at++
    if (this.#takes("}")) return undefined
    const seen = new Set<string>()
    do {
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
      if (!this.#takes(":")) return this.#expected("a colon")
      const fault = this.value(path)
      if (fault !== undefined) return fault
    } while (this.#takes(","))
    return this.#takes("}") ? undefined : this.#expected("a comma or }")
  }

  #list(field: string): JsonFault | undefined {
    this.#at++
    if (this.#takes("]")) return undefined
    let index = 0
    do {
      const fault = this.value(`${field}[${index++}]`)
      if (fault !== undefined) return fault
    } while (this.#takes(","))
    return this.#takes("]") ? undefined : this.#expected("a comma or ]")
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
