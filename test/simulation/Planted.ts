/**
 * Faults that a dam like this one has had, or may get: each is put into its sources by name (`PLANTED=NAME`), and some
 * seed must tell. `plant.ts` tries them all.
 */

/** What stands in a file below `src/`, once, and what instead. */
export interface Change {
  readonly file: string
  readonly from: string
  readonly to: string
}

const one = (file: string, from: string, to: string): ReadonlyArray<Change> => [{ file, from, to }]

const dispatcher = "dam/work/Dispatcher.ts"
const submitting = "dam/work/Submitting.ts"
const jobs = "dam/sqlite/JobCommands.ts"
const groups = "dam/sqlite/Groups.ts"

// what was overlooked is found within a minute, so that no law is broken while this holds
const lookedForByTheMinute = one("dam/work/Duties.ts", "        if (isAtWork) lookAround()\n", "")

export const planted: Readonly<Record<string, ReadonlyArray<Change>>> = {
  "what ran is not queued again after a start": one(dispatcher, "yield* store.recover\n", "void 0\n"),
  "the outbox is not looked at after a start": one(dispatcher, "  deliver(yield* store.deliveryLanes)\n", ""),
  "what is due is not looked at after a start": one(
    dispatcher,
    "  deliver(yield* store.deliveryLanes)\n  lookAround()\n",
    "  deliver(yield* store.deliveryLanes)\n"
  ),
  "queues are not woken after a start": one(
    dispatcher,
    "  for (const lane of yield* store.lanes) yield* lanes.wake(lane)\n",
    ""
  ),
  "a new job does not wake its lane": one(
    submitting,
    `return state === "queued" ? lanes.wake(job.lane, queueOf(job, job.step.limits, job.step.priority)) : Effect.void`,
    "return Effect.void"
  ),
  "a scheduled job is not looked out for": [
    ...one(submitting, `if (state === "scheduled" || `, "if ("),
    ...lookedForByTheMinute
  ],
  "a commit does not wait for the disk": [
    ...one("dam/sqlite/Database.ts", "PRAGMA synchronous = FULL;", "PRAGMA synchronous = NORMAL;"),
    ...one("dam/sqlite/Database.ts", `if (numberOf(db, "PRAGMA synchronous") !== FULL)`, "if (false)")
  ],
  "a commit that failed is acknowledged": one(
    groups,
    "if (Result.isFailure(committed)) throw new GroupLost(committed.failure)",
    "void committed"
  ),
  "a group that failed leaves the tally as it is": one(
    groups,
    `      if (db.isTransaction) db.exec("ROLLBACK")\n      restore(tally, before)\n`,
    `      if (db.isTransaction) db.exec("ROLLBACK")\n`
  ),
  "a hold is forgotten over a restart": one(
    "dam/lane/Lanes.ts",
    "if (heldUntil > now && Paces.ownerIn(account) === undefined) lane.hold(",
    "if (false) lane.hold("
  ),
  "a pause is forgotten over a restart": one(
    "dam/lane/Lanes.ts",
    "if (steeredOf(settings, host).paused !== undefined) lane.pause(",
    "if (false) lane.pause("
  ),
  "a refusal does not hold": one(
    "dam/lane/Lane.ts",
    "owner.meter = Meter.hear(owner.meter, said, at)",
    "void Meter.hear(owner.meter, said, at)"
  ),
  "what was let through ignores a hold": one(
    "dam/lane/Departures.ts",
    "self.paused ? Number.POSITIVE_INFINITY : heldUntil(self, account.name)",
    "self.paused && account.name === undefined ? 0 : Number.NEGATIVE_INFINITY"
  ),
  "one call more is in flight": one(
    "engine/pace/Meter.ts",
    "  Math.max(Gate.opensAt(gate), Finder.opensAt(finder, now))",
    "  finder.isKnown && now > 0 ? Gate.opensAt({ ...gate, open: gate.open - 1 }) : Number.POSITIVE_INFINITY"
  ),
  "the pace is a quarter too fast": one(
    "engine/pace/Gate.ts",
    "  const interval = 1000 / self.pace.rps\n",
    "  const interval = 800 / self.pace.rps\n"
  ),
  "a permit is lost where its call is stopped": one(
    "dam/work/JobHost.ts",
    "Effect.ensuring(Effect.provideService(restore(sent), Under, permit), release)",
    "Effect.tap(Effect.provideService(restore(sent), Under, permit), () => release)"
  ),
  "a call that was held keeps its permit": one(
    "dam/work/JobHost.ts",
    "if (permit === undefined) return restore(comeBack(self))",
    "if (permit === undefined) return restore(Effect.never)"
  ),
  "a key is forgotten": one(
    jobs,
    "const digest = digestOf(job)\n",
    `const digest = job.state === "queued" ? null : digestOf(job)\n`
  ),
  "a cancelled job is started": one(jobs, "WHERE id = ? AND state = 'queued' RETURNING", "WHERE id = ? RETURNING"),
  "a parked job comes back a week late": one(
    jobs,
    "on.parkRunning.run(dueAt, since,",
    "on.parkRunning.run(dueAt + 604_800_000, since,"
  ),
  "an end is stored without its results to tell": one(
    jobs,
    "  for (const { body, columns } of finish.deliveries) {",
    "  for (const { body, columns } of finish.deliveries.slice(1)) {"
  ),
  "an end is stored without its children": one(
    jobs,
    "  for (const child of finish.children) enqueue(self, child)\n",
    ""
  ),
  "a delivery is tried again a day late": one(
    "dam/sqlite/DeliveryCommands.ts",
    `on.note.get(json, "pending", next.dueAt, null`,
    `on.note.get(json, "pending", next.dueAt + 86_400_000, null`
  ),
  "a delivery that was heard stays to be made": one(
    "dam/sqlite/DeliveryCommands.ts",
    `on.note.get(json, "delivered", null, null, null, 0, id)`,
    `on.note.get(json, "pending", 0, null, null, 0, id)`
  ),
  "a result is told in other bytes each time": one(
    "dam/deliver/Courier.ts",
    "headers: { ...delivery.terms?.headers, ...own }, body: delivery.body }",
    "headers: { ...delivery.terms?.headers, ...own }, body: Buffer.concat([delivery.body, Buffer.alloc(delivery.attempts.length, 32)]) }"
  ),
  "an end wakes no deliveries": one(
    "dam/work/Ends.ts",
    "  if (areOpen) self.hand(finish.deliveries, finish.at)\n  else if (finish.deliveries.length > 0)",
    "  if (false)"
  ),
  "a child does not wake its lane": one(
    "dam/work/Ends.ts",
    "    yield* self.lanes.wake(child.lane, queueOf(child, child.step.limits, child.step.priority))\n",
    ""
  ),
  "a parked job is not looked out for": [
    ...one(
      "dam/work/Ends.ts",
      "          Effect.sync(self.lookAround)\n        ),\n      isThere: isParked",
      "          Effect.void\n        ),\n      isThere: isParked"
    ),
    ...lookedForByTheMinute
  ],
  "a cancel leaves the call under way": one(
    "dam/work/Cancelling.ts",
    "      yield* FiberMap.remove(self.running, job.id)\n",
    ""
  ),
  "an account that was woken is not read": one(
    "dam/lane/Lane.ts",
    "const isNews = !queue.more && queue.tickets.length === 0",
    "const isNews = false"
  ),
  "a failure is told as a success": one(
    "dam/work/Ends.ts",
    `? Results.finish(job, "failed", { at, attempt, result: Results.failed(end), children }, laneOf)`,
    `? Results.finish(job, "succeeded", { at, attempt, result: Results.failed(end), children }, laneOf)`
  ),
  "a firing is known by nothing but its job": one(
    "dam/work/Schedules.ts",
    "`schedule:${generation}:${moment}`",
    "`schedule:${generation}:${moment}:${id}`"
  )
}
