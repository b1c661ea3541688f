/** The reader's language, where the browser names one that exists. */

const named = (): string => {
  try {
    return Intl.getCanonicalLocales(navigator.language)[0] ?? "en"
  } catch {
    return "en"
  }
}

export const language = named()

// some browsers take over a setting of the system that is no language, on which the chart library would break off; this
// file is therefore read before that one
if (language !== navigator.language) Object.defineProperty(navigator, "language", { value: language })
