/** Looks at Node before anything is imported that an older one does not have. */

import { version } from "../transport/Version.ts"
import { keepOldSpaceSmall, keepYoungSpaceSmall } from "./serving/Heap.ts"

/** The oldest Node with an SQLite and a type stripping that this package can build on; `engines` says the same. */
const oldest = [22, 19] as const

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

const isTooOld = major < oldest[0] || (major === oldest[0] && minor < oldest[1])

const refuse = (): void => {
  process.stderr.write(`ezthrottle needs Node ${oldest.join(".")} or newer; this is ${process.versions.node}\n`)
  process.exitCode = 1
}

const load = () => {
  keepYoungSpaceSmall()
  keepOldSpaceSmall()
  return import("./main.ts")
}

/** Answered before anything else is loaded: scripts ask for it, and it is asked for alone. */
const isVersion = process.argv.length === 3 && process.argv[2] === "--version"

const tellVersion = (): void => void process.stdout.write(`ezthrottle v${version}\n`)

export const started: unknown = isTooOld
  ? refuse()
  : isVersion
    ? tellVersion()
    : load().then(({ run }) => run(process.argv.slice(2)))
