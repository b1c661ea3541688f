/** What a client needs around a test double of its network side: strategies, a service, and itself. */
import * as Context from "effect/Context"
import * as EZThrottle from "../run/EZThrottle.ts"
import { Service } from "../run/Service.ts"
import type { Delegating, Exchanging } from "../transport/HttpTransport.ts"
import * as Strategies from "../transport/Strategies.ts"
import { FakeService } from "./FakeService.ts"

/** FRUGAL tries `local` and forwards, PERFORMANCE hands over; `delegating` stands in for the fake's own door. */
export const surround = (
  local: Exchanging,
  fake: FakeService["Service"],
  delegating: Delegating = fake.transport
): Context.Context<FakeService | Strategies.Strategies | Service | EZThrottle.EZThrottle> => {
  const service = { ...fake, transport: delegating }
  const strategies = Strategies.client(local, delegating)
  return Context.make(FakeService, fake).pipe(
    Context.add(Service, service),
    Context.add(Strategies.Strategies, strategies),
    Context.add(EZThrottle.EZThrottle, EZThrottle.make(strategies, service))
  )
}
