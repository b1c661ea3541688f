import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Step from "../../src/step/Step.ts"
import * as Job from "../../src/wire/Job.ts"
import recorded from "../fixtures/official-requests.json" with { type: "json" }

const upstream = "https://upstream.example"
const receiver = "https://receiver.example"

const call = (path: string, key?: string) => {
  const step = Step.get(upstream + path).pipe(Step.webhooks([{ url: `${receiver}/webhook` }]))
  return key === undefined ? step : Step.idempotentKey(step, key)
}

const basic = (key: string) => call("/status/200?test=performance_basic", key)

const racing = (key: string) => call("/delay/1?test=performance_racing", key).pipe(Step.regions(["iad", "lax", "ord"]))

const withFallbacks = (key: string) =>
  call("/status/500?test=fallback_primary", key).pipe(
    Step.fallback(Step.get(`${upstream}/delay/2?test=fallback_1`), { onError: [500, 502, 503] }),
    Step.fallback(Step.get(`${upstream}/status/200?test=fallback_2`), { onTimeout: 500 })
  )

const withChild = (key: string, childKey: string) =>
  call("/status/200?test=on_success_parent", key).pipe(Step.onSuccess(call("/delay/1?test=on_success_child", childKey)))

const hashed = (run: string) => call(`/get?test=idempotent_hash&run=${run}`)

const unique = (key: string) => call("/get?test=idempotent_unique", key)

const node = "official Node SDK 1.4"
const python = "official Python SDK 1.3"

const meant: ReadonlyArray<readonly [client: string, step: Step.Step]> = [
  [node, basic("performance_basic_a2308a16-641e-4907-ae25-40ce9c680e24")],
  [node, racing("performance_racing_96ba139e-3514-4f8a-9a9b-03d92bdd7719")],
  [node, withFallbacks("fallback_chain_1fe91f2a-7bb4-4636-8145-467f7e52704f")],
  [
    node,
    withChild(
      "on_success_parent_07ef02dd-f9ec-49b1-b187-062536c6ed64",
      "on_success_child_4298e84d-7e0c-4e68-b32c-1b5d80329ac3"
    )
  ],
  [node, hashed("1ab70829-d528-45ed-8d21-a8d6dbe8c4c3")],
  [node, hashed("1ab70829-d528-45ed-8d21-a8d6dbe8c4c3")],
  [node, unique("idempotent_unique_1_635d0a51-cb21-4adb-b697-714898f94957")],
  [node, unique("idempotent_unique_2_004010ff-02ef-4181-a40f-22137d15d99d")],
  [python, basic("performance_basic_8c29065f-6dea-49a9-aa53-1626e3aaec98")],
  [python, racing("performance_racing_dc0d8740-5b53-488d-ae5b-fb6dfe9acd48")],
  [python, withFallbacks("fallback_chain_467ebe16-a9ba-4c19-b89d-2c40612dcaec")],
  [
    python,
    withChild(
      "on_success_parent_d1b24bc3-40b4-404c-bfea-ee4e93db9041",
      "on_success_child_cd10bf15-7ebc-4919-9b6b-1d83ea06987e"
    )
  ],
  [python, hashed("1795460884")],
  [python, hashed("1795460884")],
  [python, unique("idempotent_unique_1_29b7989e-c9c6-44b8-927a-7100f268124e")],
  [python, unique("idempotent_unique_2_d98eadf1-c3ad-49a2-9be1-006d7412caaa")],
  [
    python,
    Step.post(`${upstream}/status/200`, {
      headers: { Authorization: "Bearer sk_test_..." },
      body: '{"amount": 1000, "currency": "usd"}'
    }).pipe(
      Step.metadata({ order_id: "order_12345" }),
      Step.webhooks([{ url: `${receiver}/webhook` }]),
      Step.idempotentKey("decorator_forward_3fcf7ed0-73da-4f30-a6a4-a1113f64fd50")
    )
  ]
]

const jobOf = (index: number): unknown =>
  JSON.parse(
    recorded.requests[index]?.envelope.body.replaceAll("{{UPSTREAM}}", upstream).replaceAll("{{RECEIVER}}", receiver) ??
      "null"
  )

describe("what the official clients send", () => {
  it("has a meaning for every recorded request", () => {
    assert.deepStrictEqual(
      meant.map(([client]) => client),
      recorded.requests.map(({ client }) => client)
    )
  })

  it.each(meant.map(([client, step], index) => ({ client, index, step, is: step.request.url.slice(upstream.length) })))(
    "reads request $index of $client, $is, as the step that was meant",
    ({ index, step }) => {
      assert.deepStrictEqual(Result.getOrThrow(Job.decode(jobOf(index))), step)
    }
  )

  it.each(meant.map(([, step], index) => ({ index, step })))(
    "is understood when ours sends request $index instead",
    ({ step }) => {
      const ours = Result.getOrThrow(Job.encode({ step, key: undefined, retryAt: undefined }))
      assert.deepStrictEqual(Result.getOrThrow(Job.decode(JSON.parse(JSON.stringify(ours)))), step)
    }
  )

  it("sends the nested jobs that Node spells in camelCase in the protocol's spelling", () => {
    const text = JSON.stringify(
      meant.map(([, step]) => Result.getOrThrow(Job.encode({ step, key: undefined, retryAt: undefined })))
    )
    assert.notMatch(text, /"(fallbackJob|idempotentKey|onSuccess|hasQuorumVote)"/)
  })
})
