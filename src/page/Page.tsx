/** The page as a whole: who is looking, where, and what the dam tells meanwhile. */
import { render } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import * as Schema from "effect/Schema"
import { Session } from "../dam/api/SystemShapes.ts"
import { ask, Problem } from "./Api.ts"
import { DeadLetters } from "./DeadLetters.tsx"
import { Failures } from "./Failures.tsx"
import { clockOf, decoded, shortId } from "./Format.ts"
import { usePlace } from "./Hooks.ts"
import { Jobs } from "./Jobs.tsx"
import { Keys, searchWasWanted, toSearch } from "./Keys.tsx"
import { live, onNews, useFeed, useNews } from "./Live.ts"
import { Limits } from "./Limits.tsx"
import { Notices } from "./Notices.tsx"
import { OneJob } from "./OneJob.tsx"
import { OneLane } from "./OneLane.tsx"
import { Overview } from "./Overview.tsx"
import { Schedules } from "./Schedules.tsx"
import { SignIn } from "./SignIn.tsx"
import { Submit } from "./Submit.tsx"

interface Shown {
  readonly path: string
  readonly parameters: URLSearchParams
}

const places = [
  { path: "/", name: "Overview", view: Overview },
  { path: "/jobs", name: "Jobs", view: Jobs },
  { path: "/failures", name: "Failures", view: Failures },
  { path: "/dead", name: "Dead letters", view: DeadLetters },
  { path: "/limits", name: "Limits", view: Limits },
  { path: "/schedules", name: "Schedules", view: Schedules },
  { path: "/notices", name: "Notices", view: Notices },
  { path: "/submit", name: "Submit", view: Submit }
]

/** What a path that goes on behind one of these names. */
const nameIn = (path: string, place: string): string | undefined =>
  path.startsWith(place) && path.length > place.length ? decoded(path.slice(place.length)) : undefined

const View = ({ parameters, path }: Shown) => {
  const place = places.find((one) => one.path === path)
  if (place !== undefined) return <place.view parameters={parameters} />
  const job = nameIn(path, "/jobs/")
  if (job !== undefined) return <OneJob id={job} />
  const lane = nameIn(path, "/lanes/")
  if (lane !== undefined) return <OneLane name={lane} parameters={parameters} />
  return (
    <>
      <h1 tabIndex={-1}>There is no such page</h1>
      <p>
        Nothing is at <code>{path}</code>. <a href="#/">To the overview</a>
      </p>
    </>
  )
}

const titleOf = (path: string): string => {
  const place = places.find((one) => one.path === path)
  const job = nameIn(path, "/jobs/")
  const lane = nameIn(path, "/lanes/")
  return (
    place?.name ?? (job !== undefined ? `Job ${shortId(job)}` : lane === undefined ? "No such page" : `Lane ${lane}`)
  )
}

const Connection = () => {
  useNews("live")
  const problem = live.problem()
  const since = live.silentSince()
  const isOn = live.isLive() && problem === undefined && since === undefined
  return (
    <span class={isOn ? "live on" : since === undefined ? "live" : "live off"} role="status">
      {since !== undefined
        ? `the dam does not answer; this is from ${clockOf(since)}`
        : (problem ?? (isOn ? "live" : "connecting…"))}
    </span>
  )
}

/** Who is looking, and what keeps the page from knowing. */
const useSession = () => {
  const [session, setSession] = useState<typeof Session.Type>()
  const [problem, setProblem] = useState<string>()
  const look = () => {
    ask(Session, "/session").then(
      (found) => {
        setSession(found)
        setProblem(undefined)
      },
      (cause: unknown) =>
        setProblem(cause instanceof Problem && cause.status !== 0 ? cause.message : "The dam cannot be reached.")
    )
  }
  useEffect(look, [])
  useEffect(() => onNews((kind) => kind === "refused" && look()), [])
  return { session, problem, look }
}

/** Says where the reader is: in the title, and to whoever uses a screen reader by the focus. */
const useArrival = (path: string) => {
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  useEffect(() => {
    const isSearch = searchWasWanted() && toSearch()
    if (!first.current && !isSearch) main.current?.querySelector("h1")?.focus()
    first.current = false
    document.title = `${titleOf(path)} – EZThrottle dam`
  }, [path])
  return main
}

const Page = () => {
  const { look, problem, session } = useSession()
  const [path, parameters] = usePlace()
  const main = useArrival(path)
  const isIn = session !== undefined && session.customer !== null
  useFeed(isIn)
  if (session === undefined) {
    return (
      <main id="main">
        <p role="status">{problem ?? "Loading…"}</p>
        {problem !== undefined && <button onClick={look}>Try again</button>}
      </main>
    )
  }
  if (!isIn) return <SignIn done={look} />
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <Header path={path} customer={session.customer ?? ""} look={look} />
      <main id="main" ref={main} tabIndex={-1}>
        <View key={path} path={path} parameters={parameters} />
      </main>
    </>
  )
}

interface HeaderOptions {
  readonly path: string
  readonly customer: string
  readonly look: () => void
}

const Header = ({ customer, look, path }: HeaderOptions) => (
  <header>
    <a class="brand" href="#/">
      <img src="/page/icon.svg" alt="" width="24" height="24" /> EZThrottle dam
    </a>
    <nav aria-label="Pages">
      {places.map((place) => (
        <a key={place.path} href={`#${place.path}`} aria-current={path === place.path ? "page" : undefined}>
          {place.name}
        </a>
      ))}
    </nav>
    <Connection />
    <Keys />
    {customer !== "local" && (
      <button
        onClick={() => {
          ask(Schema.Unknown, "/session", { method: "DELETE" }).then(look, look)
        }}
      >
        Sign out {customer}
      </button>
    )}
  </header>
)

const root = document.getElementById("page")
if (root !== null) render(<Page />, root)
