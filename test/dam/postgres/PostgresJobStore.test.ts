import { suite as batches } from "../../conformance/jobStoreBatches.ts"
import { suite as credentials } from "../../conformance/jobStoreCredentials.ts"
import { suite as crowds } from "../../conformance/jobStoreCrowds.ts"
import { suite as deliveries } from "../../conformance/jobStoreDeliveries.ts"
import { suite as endpoints } from "../../conformance/jobStoreEndpoints.ts"
import { suite as erasure } from "../../conformance/jobStoreErasure.ts"
import { suite as failures } from "../../conformance/jobStoreFailures.ts"
import { suite as history } from "../../conformance/jobStoreHistory.ts"
import { suite as l8 } from "../../conformance/jobStoreL8.ts"
import { suite as notices } from "../../conformance/jobStoreNotices.ts"
import { suite as orders } from "../../conformance/jobStoreOrders.ts"
import { suite as schedules } from "../../conformance/jobStoreSchedules.ts"
import { suite as search } from "../../conformance/jobStoreSearch.ts"
import { suite } from "../../conformance/jobStore.ts"
import { postgres } from "../../support/Postgres.ts"
import { emptyStore } from "../../support/PostgresStore.ts"
import { withPostgres } from "../../support/WithPostgres.ts"

const suites = [
  suite,
  crowds,
  notices,
  deliveries,
  failures,
  history,
  endpoints,
  l8,
  search,
  schedules,
  orders,
  batches,
  credentials,
  erasure
]

withPostgres(await postgres(), "a job store", (server) => {
  const store = emptyStore(server, "conformance")
  for (const promises of suites) promises("Postgres", store)
})
