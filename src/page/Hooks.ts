/** What every view does: ask, ask again when something happened, and know where it is. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import * as Schema from "effect/Schema"
import { ask, type Problem, problemOf, type Shape } from "./Api.ts"
import { onNews } from "./Live.ts"

export interface Asked<A> {
  readonly value: A | undefined
  readonly problem: Problem | undefined
  readonly again: () => void
}

/** What was answered for a path: once there is a value, it stays while asking again fails. */
interface Answer<A> {
  readonly path: string | undefined
  readonly value?: A
  readonly problem?: Problem
}

/** Not more often than this, whatever happens, */
const atMostEvery = 1000
/** nor so often that the dam would be busy with it for more than this part of the time, */
const share = 0.05
/** and even when nothing is heard. */
const atLeastEvery = 15_000

/** Asks for a path, and again after news of these kinds. */
export const useAsked = <A>(shape: Shape<A>, path: string | undefined, ...kinds: ReadonlyArray<string>): Asked<A> => {
  const [answer, setAnswer] = useState<Answer<A>>({ path })
  const [round, setRound] = useState(0)
  const notBefore = useRef(0)
  const planned = useRef<ReturnType<typeof setTimeout>>(undefined)
  const again = useCallback(() => setRound((before) => before + 1), [])

  useEffect(() => {
    if (path === undefined) return undefined
    const controller = new AbortController()
    const began = performance.now()
    notBefore.current = began + atMostEvery
    ask(shape, path, { signal: controller.signal }).then(
      (value) => {
        notBefore.current = began + Math.max(atMostEvery, (performance.now() - began) / share)
        setAnswer({ path, value })
      },
      (cause: unknown) => {
        if (controller.signal.aborted) return
        const problem = problemOf(cause)
        setAnswer((before) => ({ ...(before.path === path ? before : { path }), problem }))
      }
    )
    return () => controller.abort()
  }, [path, round])

  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) again()
    }, atLeastEvery)
    return () => clearInterval(timer)
  }, [again])
  const key = kinds.join(" ")
  useEffect(() => {
    const stop = onNews((kind) => {
      if (!kinds.includes(kind) || planned.current !== undefined || document.hidden) return
      planned.current = setTimeout(
        () => {
          planned.current = undefined
          again()
        },
        Math.max(0, notBefore.current - performance.now())
      )
    })
    return () => {
      stop()
      clearTimeout(planned.current)
      planned.current = undefined
    }
  }, [key])
  // what was answered for another path is not shown under this one, not even until the effects have run
  const isOfThis = answer.path === path
  return { value: isOfThis ? answer.value : undefined, problem: isOfThis ? answer.problem : undefined, again }
}

/** The place in the page: what follows `#`. */
export const usePlace = (): readonly [path: string, parameters: URLSearchParams] => {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const onChange = () => setHash(location.hash)
    addEventListener("hashchange", onChange)
    // it may have changed between being drawn for the first time and listening
    onChange()
    return () => removeEventListener("hashchange", onChange)
  }, [])
  const [path = "", ...search] = hash.replace(/^#/, "").split("?")
  return [path === "" ? "/" : path, new URLSearchParams(search.join("?"))]
}

/** What stands in a field that is typed in: what the address says, also when that changes, until something is typed. */
export const useTyped = (given: string): readonly [string, (value: string) => void] => {
  const [typed, setTyped] = useState({ given, value: given })
  return [typed.given === given ? typed.value : given, (value) => setTyped({ given, value })]
}

/** What is asked for besides its path. */
interface Doing {
  readonly body?: unknown
  readonly method?: string
}

/**
 * Does something once when it is asked to, and says how it went. What asks for it stays enabled meanwhile: a button that
 * is disabled loses the focus.
 */
export const useAnswered = <A>(shape: Shape<A>, then: (answer: A) => void) => {
  const [busy, setBusy] = useState(false)
  const isUnderWay = useRef(false)
  const [problem, setProblem] = useState<Problem>()
  const act = async (path: string, { body, method = "POST" }: Doing = {}): Promise<boolean> => {
    if (isUnderWay.current) return false
    isUnderWay.current = true
    setBusy(true)
    setProblem(undefined)
    try {
      then(await ask(shape, path, body === undefined ? { method } : { method, body }))
      return true
    } catch (cause) {
      setProblem(problemOf(cause))
      return false
    } finally {
      isUnderWay.current = false
      setBusy(false)
    }
  }
  return { busy, problem, act }
}

/** The same, where what is answered says no more than that it is done. */
export const useAction = (then: () => void) => {
  const { act, ...how } = useAnswered(Schema.Unknown, then)
  return { ...how, act: (path: string, body?: unknown) => act(path, body === undefined ? {} : { body }) }
}
