/**
 * The dam behind limiters of Python and of Go, as they are published. What a machine has no tool for, or cannot install, is
 * skipped, with the reason.
 */
import { afterAll, beforeAll, describe, it, type TestContext } from "@effect/vitest"
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "../system/support/Clients.ts"
import * as Limiters from "../system/support/Limiters.ts"

interface Language {
  readonly name: string
  readonly limiters: ReadonlyArray<Limiters.Limiter>
  /** Installs them in a folder; answers what starts them. */
  readonly install: (folder: string) => Promise<readonly [string, ...ReadonlyArray<string>]>
}

const support = join(import.meta.dirname, "support")

const python: Language = {
  name: "Python",
  limiters: [
    Limiters.telling("Flask-Limiter, fixed window", 1000),
    Limiters.telling("Flask-Limiter, moving window", 1000),
    // its window begins with a call, so one that is spread to its end begins the next: half of what it allows is used
    Limiters.telling("slowapi", 3000),
    Limiters.telling("Django REST framework"),
    // a 429 and not a word more: three ask in each window when it is over
    { name: "django-ratelimit", blurMillis: 1000, refusals: 9 },
    Limiters.telling("fastapi-limiter"),
    Limiters.telling("quart-rate-limiter")
  ],
  install: async (folder) => {
    const bin = join(folder, "python/bin")
    const packages = [
      "django==5.2.19",
      "django-ratelimit==4.1.0",
      "djangorestframework==3.18.3",
      "fakeredis[lua]==2.41.0",
      "fastapi==0.165.0",
      "fastapi-limiter==0.1.6",
      "flask-limiter==4.1.1",
      "quart-rate-limiter==0.12.1",
      "slowapi==0.1.10",
      "uvicorn==0.54.0"
    ]
    await run(folder, "python3", ["-m", "venv", "python"])
    await run(folder, join(bin, "pip"), ["install", "--quiet", "--disable-pip-version-check", ...packages])
    copyFileSync(join(support, "limiters.py"), join(folder, "limiters.py"))
    return [join(bin, "python"), "limiters.py"]
  }
}

const go: Language = {
  name: "Go",
  limiters: [
    Limiters.telling("ulule/limiter", 1000),
    // it counts the window before in, by share, and does not say so: each window that the jobs take may have a refusal
    { name: "go-chi/httprate", blurMillis: 1000, refusals: 7 },
    Limiters.telling("sethvargo/go-limiter", 1000),
    // what flows back call by call has no window, and it tells a whole second whatever flows
    { name: "tollbooth", blurMillis: 0, refusals: 9 }
  ],
  install: async (folder) => {
    const packages = [
      "github.com/didip/tollbooth/v7@v7.0.2",
      "github.com/go-chi/httprate@v0.16.1",
      "github.com/sethvargo/go-limiter@v0.7.1",
      "github.com/ulule/limiter/v3@v3.11.2"
    ]
    writeFileSync(join(folder, "go.mod"), "module example.com/limiters\n\ngo 1.24\n")
    copyFileSync(join(support, "limiters.go"), join(folder, "main.go"))
    await run(folder, "go", ["get", ...packages])
    await run(folder, "go", ["build", "-o", "limiters", "."])
    return [join(folder, "limiters")]
  }
}

for (const { install, limiters, name } of [python, go]) {
  describe(`behind a limiter of ${name},`, () => {
    let folder: string
    let missing: string | undefined
    let running: Limiters.Limiters | undefined

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "limiters-"))
      const command = await install(folder).catch((error: Error) => {
        missing = error.message.slice(0, 300)
      })
      if (command !== undefined) running = await Limiters.start(folder, command[0], command.slice(1))
    })

    afterAll(() => {
      running?.stop()
      rmSync(folder, { recursive: true, force: true })
    })

    const had = (context: TestContext): Limiters.Limiters =>
      running ?? context.skip(`the limiters are not to be had here: ${missing}`)

    for (const limiter of limiters) {
      it.concurrent(
        `${limiter.name}, every job succeeds, in good time and with at most one refusal a window`,
        (context) => Limiters.holds(had(context), limiter)
      )
    }
  })
}
