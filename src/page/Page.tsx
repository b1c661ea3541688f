/** The page as a whole: who is looking, where, and what the dam tells meanwhile. */
import { render } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import * as Schema from "effect/Schema"
import { Session } from "../dam/api/SystemShapes.ts"
import { ask, Problem } from "./Api.ts"
import { DeadLetters } from "./DeadLetters.tsx"
import { usePlace } from "./Hooks.ts"
import { Jobs } from "./Jobs.tsx"
import { live, onNews, useFeed, useNews } from "./Live.ts"
import { OneJob } from "./OneJob.tsx"
import { OneLane } from "./OneLane.tsx"
import { Overview } from "./Overview.tsx"
import { SignIn } from "./SignIn.tsx"

const places = [
  { path: "/", name: "Overview" },
  { path: "/jobs", name: "Jobs" },
  { path: "/dead", name: "Dead letters" }
]

const View = ({ parameters, path }: { readonly path: string; readonly parameters: URLSearchParams }) => {
  if (path === "/jobs") return <Jobs parameters={parameters} />
  if (path.startsWith("/jobs/")) return <OneJob id={decodeURIComponent(path.slice("/jobs/".length))} />
  if (path.startsWith("/lanes/")) return <OneLane name={decodeURIComponent(path.slice("/lanes/".length))} />
  if (path === "/dead") return <DeadLetters parameters={parameters} />
  return <Overview parameters={parameters} />
}

const Connection = () => {
  useNews("live")
  const problem = live.problem()
  return (
    <span class={live.isLive() && problem === undefined ? "live on" : "live"} role="status">
      {problem ?? (live.isLive() ? "live" : "connecting…")}
    </span>
  )
}

const Page = () => {
  const [session, setSession] = useState<typeof Session.Type>()
  const [problem, setProblem] = useState<string>()
  const [path, parameters] = usePlace()
  const main = useRef<HTMLElement>(null)
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
  const isIn = session !== undefined && session.customer !== null
  useFeed(isIn)
  useEffect(() => onNews((kind) => kind === "refused" && look()), [])

  const first = useRef(true)
  useEffect(() => {
    // whoever uses a screen reader is told where they are now
    if (!first.current) main.current?.querySelector("h1")?.focus()
    first.current = false
    const title = places.find((place) => place.path === path)?.name ?? (path.startsWith("/lanes/") ? "Lane" : "Job")
    document.title = `${title} – EZThrottle dam`
  }, [path])

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
        {session.customer !== "local" && (
          <button
            onClick={() => {
              ask(Schema.Unknown, "/session", { method: "DELETE" }).then(look, look)
            }}
          >
            Sign out {session.customer}
          </button>
        )}
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <View key={path} path={path} parameters={parameters} />
      </main>
    </>
  )
}

const root = document.getElementById("page")
if (root !== null) render(<Page />, root)
