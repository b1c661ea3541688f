/**
 * The names of what the dam counts and measures. Prometheus counts in seconds, so histograms are given milliseconds and
 * keep seconds.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

const boundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 3600]

/** Takes milliseconds. */
const seconds = (name: string, description: string) =>
  Metric.mapInput(Metric.histogram(name, { description, boundaries }), (millis: number) => millis / 1000)

const event = (name: string) =>
  Metric.counter("ezthrottle_dam_jobs_total", {
    description: "Jobs that were accepted, and that ended, by how (accepted, succeeded, failed, cancelled)",
    incremental: true,
    attributes: { event: name }
  })
const delivery = (outcome: string) =>
  Metric.counter("ezthrottle_dam_delivery_attempts_total", {
    description: "Attempts to tell a webhook, by what came back (delivered: a 2xx, failed: anything else)",
    incremental: true,
    attributes: { outcome }
  })

const moment = (outcome: string) =>
  Metric.counter("ezthrottle_dam_schedule_moments_total", {
    description:
      "Moments of schedules, by what became of them (fired: a job was submitted, missed: passed while the dam was down and not made up, skipped: dropped because the job before had not ended)",
    incremental: true,
    attributes: { outcome }
  })

/**
 * What is counted as it happens.
 *
 * @category names
 * @since 0.1.0
 */
export const metrics = {
  accepted: event("accepted"),
  succeeded: event("succeeded"),
  failed: event("failed"),
  cancelled: event("cancelled"),
  delivered: delivery("delivered"),
  undelivered: delivery("failed"),
  fired: moment("fired"),
  missed: moment("missed"),
  skipped: moment("skipped"),
  wait: seconds(
    "ezthrottle_dam_queue_wait_seconds",
    "Seconds from acceptance, or from the moment a job was scheduled for, to its first start"
  ),
  total: seconds("ezthrottle_dam_job_duration_seconds", "Seconds from acceptance of a job to its end")
} as const
const gauge = (name: string, description: string) => Metric.gauge(name, { description })

/**
 * What is read when somebody asks.
 *
 * @category names
 * @since 0.1.0
 */
export const gauges = {
  jobs: gauge("ezthrottle_dam_jobs", "Jobs in the store, by `state`"),
  pending: gauge("ezthrottle_dam_pending_deliveries", "Deliveries that are still to be made"),
  dead: gauge("ezthrottle_dam_dead_deliveries", "Deliveries that were given up"),
  bytes: gauge("ezthrottle_dam_stored_bytes", "Bytes of the database on disk"),
  laneJobs: gauge(
    "ezthrottle_dam_lane_jobs",
    "Unfinished jobs by `lane` and `state`; the lanes of a host together, the 100 hosts with most of them by name, all others as `other`"
  ),
  laneRate: gauge(
    "ezthrottle_dam_lane_rps",
    "Calls per second that a `lane` may make, those of a host together; of the hosts that are named"
  ),
  laneHeld: gauge(
    "ezthrottle_dam_lane_held",
    "1 while a `lane` of the host is held by its upstream; of the hosts that are named"
  ),
  lanePaused: gauge(
    "ezthrottle_dam_lane_paused",
    "1 while an operator has paused a `lane` of the host; of the hosts that are named"
  )
} as const
