import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { version } from "../../src/transport/Version.ts"

const start = fileURLToPath(new URL("../../src/cli/start.ts", import.meta.url))
const spent = `data:text/javascript,process.on("exit",()=>{const{user,system}=process.cpuUsage();console.error((user+system)/1000)})`

describe("the start of the command", () => {
  it("tells its version before it loads anything: in less than 0.3 seconds of the processor", async () => {
    const { stderr, stdout } = await promisify(execFile)(process.execPath, ["--import", spent, start, "--version"])
    assert.strictEqual(stdout, `ezthrottle v${version}\n`)
    assert.isBelow(Number(stderr), 300)
  })
})
