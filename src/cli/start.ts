/** Looks at Node before anything is imported that an older one does not have. */

import { isOld, needed } from "../transport/OldNode.ts"
import { version } from "../transport/Version.ts"
import { keepOldSpaceSmall, keepYoungSpaceSmall } from "./serving/Heap.ts"

const { node } = process.versions

const refuse = (): void => {
  process.stderr.write(`${needed("ezthrottle", node)}\n`)
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

export const started: unknown = isOld(node)
  ? refuse()
  : isVersion
    ? tellVersion()
    : load().then(({ run }) => run(process.argv.slice(2)))
