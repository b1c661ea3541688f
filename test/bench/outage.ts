/**
 * What an outage costs a target that 10,000 callers call a thousand times a second, in virtual time, by how they try again:
 * its load during a full outage of 60 seconds, the time to normal and the highest second after it, and what ends well while
 * a fifth of the calls fails. The others are models of what their documents say.
 */
import { policies, run } from "../engine/outage/Model.ts"

const callers = process.env["BENCH_QUICK"] === "1" ? 1000 : 10_000
const outage = { from: 60_000, to: 120_000, share: 1 }
const rain = { from: 60_000, to: 120_000, share: 0.2 }

console.log(
  `${"".padEnd(28)}${"load in it".padEnd(14)}${"to normal".padEnd(14)}${"peak after".padEnd(14)}ends well at 20 % failures`
)
for (const policy of Object.values(policies)) {
  const { load, peak, recovery } = run(policy, callers, outage)
  const { goodput, load: more } = run(policy, callers, rain)
  console.log(
    policy.name.padEnd(28) +
      `x ${load.toFixed(2)}`.padEnd(14) +
      `${recovery} s`.padEnd(14) +
      `x ${peak.toFixed(2)}`.padEnd(14) +
      `${(100 * goodput).toFixed(1)} % for x ${more.toFixed(2)}`
  )
}
