/** Each recipe for Node, in its framework where that can be installed, against a dam and a target on loopback. */
import { afterAll, assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { once } from "node:events"
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import * as Support from "../cli/support.ts"
import * as Recipes from "./Recipes.ts"

mkdirSync(join(Recipes.root, ".tmp"), { recursive: true })
const folder = mkdtempSync(join(Recipes.root, ".tmp", "recipes-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** The programs below a heading, each as the module it is. */
const modules = (heading: string, world: Recipes.World): Promise<ReadonlyArray<any>> =>
  // what they export is their own
  Promise.all(
    (Recipes.programs.get(heading) ?? []).map((code, index) => {
      const file = join(folder, `${heading.replaceAll(/\W/g, "")}${index}.ts`)
      writeFileSync(file, world.placed(code))
      return import(file)
    })
  )

interface Running {
  readonly app: Recipes.App
  readonly stop: () => unknown
}

/** Asks a server that a recipe has started. */
const over = async (server: Server): Promise<Running> => {
  if (!server.listening) await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    app: async (request) =>
      fetch(`http://127.0.0.1:${port}${new URL(request.url).pathname}`, {
        method: request.method,
        headers: request.headers,
        body: await request.bytes()
      }),
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, "close")
    }
  }
}

const recipes: Readonly<Record<string, (world: Recipes.World) => Promise<Running>>> = {
  "Next.js": async (world) => {
    const [orders, reports, hooks] = await modules("Next.js", world)
    const routes: Record<string, Recipes.App> = {
      "/orders": orders.POST,
      "/reports": reports.POST,
      "/hooks": hooks.POST
    }
    return {
      app: async (request) => routes[new URL(request.url).pathname]?.(request) ?? new Response(null, { status: 404 }),
      stop: () => undefined
    }
  },
  Hono: async (world) => over((await modules("Hono", world))[0].server),
  Express: async (world) => over((await modules("Express", world))[0].server),
  "AWS Lambda": async (world) => {
    const [{ handler }] = await modules("AWS Lambda", world)
    return {
      app: async (request) => {
        const { pathname } = new URL(request.url)
        const { body, statusCode } = await handler({
          version: "2.0",
          routeKey: "$default",
          rawPath: pathname,
          rawQueryString: "",
          headers: Object.fromEntries(request.headers),
          requestContext: { http: { method: request.method, path: pathname } },
          body: Buffer.from(await request.arrayBuffer()).toString("base64"),
          isBase64Encoded: true
        })
        return new Response(body, { status: statusCode })
      },
      stop: () => undefined
    }
  },
  "An Effect program with a client of its own": async (world) => {
    const [{ dispose, handler }] = await modules("An Effect program with a client of its own", world)
    return { app: handler, stop: dispose }
  }
}

describe("the recipes", () => {
  it("are all run, here or as they are built", () => {
    const built = ["Workers", "Bun and Deno"]
    assert.deepStrictEqual([...Recipes.programs.keys()].toSorted(), [...Object.keys(recipes), ...built].toSorted())
  })

  for (const [name, start] of Object.entries(recipes)) {
    it.live(`${name}: protects a call, hands over jobs and receives what became of them`, () =>
      Effect.gen(function* () {
        const dam = yield* Support.dam()
        const world = yield* Effect.acquireRelease(Effect.promise(Recipes.make), ({ close }) => Effect.promise(close))
        const secret = yield* Support.run(["secrets", "create", "env:SECRET", "--url", dam.url], {
          SECRET: Recipes.webhookSecret
        })
        assert.strictEqual(secret.code, 0, secret.err)
        vi.stubEnv("EZTHROTTLE_API_KEY", "any")
        vi.stubEnv("EZTHROTTLE_TRACKTAGS_URL", dam.url)
        vi.stubEnv("EZTHROTTLE_URL", dam.url)
        vi.stubEnv("EZTHROTTLE_WEBHOOK_SECRET", Recipes.webhookSecret)
        vi.stubEnv("PORT", "0")
        const said = vi.spyOn(console, "log").mockImplementation(() => {})
        yield* Effect.addFinalizer(() => Effect.sync(() => (vi.unstubAllEnvs(), said.mockRestore())))
        const { app } = yield* Effect.acquireRelease(
          Effect.promise(() => start(world)),
          ({ stop }) => Effect.promise(async () => stop())
        )
        yield* Effect.promise(() => Recipes.keepsItsPromises(world, app))
        if (name.startsWith("An Effect")) {
          const mine = world.calls.map(({ headers }) => headers["user-agent"] === "tea-shop/1.0")
          assert.deepStrictEqual(mine, [true, true, true, true, false, false])
        } else {
          assert.deepStrictEqual(said.mock.calls.at(-1)?.slice(1), ["success", { month: "2026-10" }])
        }
      })
    )
  }
})
