/**
 * Clients in other languages, generated from the description that a built dam serves, compiled, and run against it. What
 * a machine has no tool for is skipped, with the reason.
 */
import { afterAll, assert, beforeAll, describe, it, type TestContext } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Clients from "../system/support/Clients.ts"

let world: Clients.World

beforeAll(async () => {
  world = await Clients.make()
})

afterAll(() => world.close())

/** Runs a tool, or skips the test when this machine does not have it or cannot get it. */
const needs = (context: TestContext, what: string, got: Promise<unknown>): Promise<unknown> =>
  got.catch((error: Error) => context.skip(`${what} is not to be had here: ${error.message.slice(0, 300)}`))

const tells = (told: Clients.Told, before: number) => {
  assert.isNotEmpty(told.id)
  assert.strictEqual(told.again, told.id)
  assert.deepInclude(told, { duplicate: true, status: "succeeded", answer: 201, body: "fine", field: "retry_at" })
  // a moment that came back with fewer digits, or went out so, would lie elsewhere
  assert.isAtLeast(told.startedAt, told.retryAt)
  assert.isBelow(Math.abs(told.createdAt - Date.now()), 600_000)
  assert.strictEqual(world.calls(), before + 1)
}

const goModule = "module example.com/client\n\ngo 1.24\n"

const goTold = `
	told, _ := json.Marshal(map[string]any{
		"id": first.JobId, "again": second.JobId, "duplicate": second.Duplicate, "status": string(waited.Status),
		"answer": read.Response.StatusCode, "body": read.Response.Body,
		"createdAt": read.CreatedAt, "startedAt": startedAt, "retryAt": retryAt, "field": field,
	})
	fmt.Println(string(told))
`

const oapiCodegen = `package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

func must[A any](value A, err error) A {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	client := must(NewClientWithResponses(os.Args[1]))
	retryAt := time.Now().UnixMilli() + 300
	method, key := "POST", "oapi-codegen"
	job := Job{Url: os.Args[2], Method: &method, IdempotentKey: &key, RetryAt: &retryAt}
	first := must(client.JobsSubmitWithResponse(ctx, job)).JSON201
	second := must(client.JobsSubmitWithResponse(ctx, job)).JSON200
	timeout := 20000
	waited := must(client.JobsWaitWithResponse(ctx, first.JobId, &JobsWaitParams{TimeoutMs: &timeout})).JSON200
	read := must(client.JobsGetWithResponse(ctx, first.JobId)).JSON200
	early := int64(5)
	field := must(client.JobsSubmitWithResponse(ctx, Job{Url: os.Args[2], RetryAt: &early})).JSON400.Field
	startedAt := read.StartedAt
${goTold}}
`

const openapiGenerator = `package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	api "example.com/client/api"
)

func must[A any](value A, _ any, err error) A {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	config := api.NewConfiguration()
	config.Servers = api.ServerConfigurations{{URL: os.Args[1]}}
	jobs := api.NewAPIClient(config).JobsAPI
	retryAt := time.Now().UnixMilli() + 300
	job := api.NewJob(os.Args[2])
	job.SetMethod("POST")
	job.SetIdempotentKey("openapi-generator")
	job.SetRetryAt(retryAt)
	first := must(jobs.JobsSubmit(ctx).Job(*job).Execute())
	second := must(jobs.JobsSubmit(ctx).Job(*job).Execute())
	waited := must(jobs.JobsWait(ctx, first.JobId).TimeoutMs(20000).Execute())
	shown := must(jobs.JobsGet(ctx, first.JobId).Execute())
	read := struct {
		Response  api.Answer
		CreatedAt int64
	}{shown.GetResponse(), shown.CreatedAt}
	startedAt := shown.GetStartedAt()
	early := api.NewJob(os.Args[2])
	early.SetRetryAt(5)
	_, _, err := jobs.JobsSubmit(ctx).Job(*early).Execute()
	refusal := err.(*api.GenericOpenAPIError).Model().(api.Error)
	field := refusal.GetField()
${goTold}}
`

const python = `
import json, sys, time
from dam_client import Client
from dam_client.api.jobs import jobs_get, jobs_submit, jobs_wait
from dam_client.models import Job

dam, target = sys.argv[1:3]
client = Client(base_url=dam)
retry_at = int(time.time() * 1000) + 300
job = Job(url=target, method="POST", idempotent_key="python", retry_at=retry_at)
first = jobs_submit.sync(client=client, body=job)
second = jobs_submit.sync(client=client, body=job)
waited = jobs_wait.sync(first.job_id, client=client, timeout_ms=20000)
read = jobs_get.sync(first.job_id, client=client)
refused = jobs_submit.sync(client=client, body=Job(url=target, retry_at=5))
print(json.dumps({
    "id": first.job_id, "again": second.job_id, "duplicate": second.duplicate, "status": waited.status,
    "answer": read.response.status_code, "body": read.response.body,
    "createdAt": read.created_at, "startedAt": read.started_at, "retryAt": retry_at, "field": refused.field,
}))
`

/** A Python of its own with what it needs; answers where its commands are. */
const pythonWith = async (context: TestContext, folder: string, ...packages: ReadonlyArray<string>) => {
  await needs(context, "python3", Clients.run(folder, "python3", ["-m", "venv", "python"]))
  const bin = join(folder, "python/bin")
  await needs(
    context,
    packages.join(", "),
    Clients.run(folder, join(bin, "pip"), ["install", "--quiet", "--disable-pip-version-check", ...packages])
  )
  return bin
}

describe("a client that is generated from the description compiles, and submits, waits for and reads a job", () => {
  it("in Go, by oapi-codegen", async (context) => {
    const before = world.calls()
    const folder = world.folder("oapi-codegen")
    const go = (...args: ReadonlyArray<string>) => Clients.run(folder, "go", args, { GOBIN: folder })
    await needs(context, "go", go("version"))
    const tool = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2"
    await needs(context, tool, go("install", tool))
    const args = ["-generate", "types,client", "-package", "main", "-o", "client.go", world.description]
    await Clients.run(folder, join(folder, "oapi-codegen"), args)
    writeFileSync(join(folder, "go.mod"), goModule)
    writeFileSync(join(folder, "main.go"), oapiCodegen)
    await go("mod", "tidy")
    await go("vet", ".")
    tells(Clients.toldIn(await go("run", ".", world.dam, world.target)), before)
  })

  it("in Go, by openapi-generator", async (context) => {
    const before = world.calls()
    const folder = world.folder("openapi-generator")
    const go = (...args: ReadonlyArray<string>) => Clients.run(folder, "go", args)
    await needs(context, "java", Clients.run(folder, "java", ["-version"]))
    await needs(context, "go", go("version"))
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }))
    const version = { "generator-cli": { version: "7.23.0" } }
    writeFileSync(join(folder, "openapitools.json"), JSON.stringify(version))
    const tool = "@openapitools/openapi-generator-cli"
    await needs(context, tool, Clients.run(folder, "npm", ["install", "--no-audit", "--no-fund", `${tool}@2.41.0`]))
    const generator = (...args: ReadonlyArray<string>) =>
      Clients.run(folder, process.execPath, [join(folder, "node_modules", tool, "main.js"), ...args])
    await needs(context, "the generator itself", generator("version"))
    // it reads the document with a strict eye first
    await generator("validate", "-i", world.description)
    const properties = "packageName=api,withGoMod=false,generateInterfaces=false"
    await generator("generate", "-g", "go", "-i", world.description, "-o", "api", "--additional-properties", properties)
    writeFileSync(join(folder, "go.mod"), goModule)
    writeFileSync(join(folder, "main.go"), openapiGenerator)
    await go("vet", ".", "./api")
    tells(Clients.toldIn(await go("run", ".", world.dam, world.target)), before)
  })

  it("in Python, by openapi-python-client", async (context) => {
    const before = world.calls()
    const folder = world.folder("openapi-python-client")
    const bin = await pythonWith(context, folder, "openapi-python-client==0.29.1")
    writeFileSync(
      join(folder, "config.yaml"),
      "package_name_override: dam_client\nproject_name_override: dam_client\npost_hooks: []\n"
    )
    const args = ["generate", "--path", world.description, "--output-path", "client", "--config", "config.yaml"]
    const said = await Clients.run(folder, join(bin, "openapi-python-client"), [...args, "--fail-on-warning"])
    assert.notInclude(said, "Warning")
    await Clients.run(folder, join(bin, "python"), ["-m", "compileall", "-q", "client"])
    writeFileSync(join(folder, "main.py"), python)
    const told = Clients.run(folder, join(bin, "python"), ["main.py", world.dam, world.target], {
      PYTHONPATH: join(folder, "client")
    })
    tells(Clients.toldIn(await told), before)
  })
})

describe("a fuzzer that goes by the description", () => {
  it("meets no answer that is not described, and takes no offence at any: schemathesis", async (context) => {
    const folder = world.folder("schemathesis")
    const bin = await pythonWith(context, folder, "schemathesis==4.32.5")
    const fuzz = (...args: ReadonlyArray<string>) =>
      Clients.run(folder, join(bin, "schemathesis"), [
        "run",
        `${world.dam}/openapi.json`,
        "--phases=examples,coverage,fuzzing",
        "--max-examples=25",
        "--seed=1",
        "--no-color",
        // what no schema can say is refused too: a host that there is none of, a URL that the policy denies
        "--exclude-checks=positive_data_acceptance",
        // the tree of a job is a large example
        "--suppress-health-check=all",
        ...args
      ])
    // a stream does not end, and the length of a secret counts characters beyond 16 bits twice
    const most = "--exclude-path-regex=/(stream|events|webhook-secrets)$"
    // it ends with an error when it has found something
    await fuzz(most, "--report=junit", "--report-junit-path=report.xml")
    assert.isAbove(readFileSync(join(folder, "report.xml"), "utf8").match(/<testcase /g)?.length ?? 0, 25)
    await fuzz("--include-path=/api/v1/webhook-secrets", "--generation-codec=ascii")
  })
})
