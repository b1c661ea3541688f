/** What every view does: ask, ask again when something happened, and know where it is. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import { ask, Problem } from "./Api.ts"

export interface Asked<A> {
  readonly value: A | undefined
  readonly problem: Problem | undefined
  readonly again: () => void
}

/** Not more often than this, whatever happens. */
const atMostEvery = 1000
/** Even when nothing is heard. */
const atLeastEvery = 15_000

type Listener = (kind: string) => void
const listeners = new Set<Listener>()

/** Says that something of this kind has changed. */
export const happened = (kind: string): void => {
  for (const listener of listeners) listener(kind)
}

/** Calls back for every change of these kinds. */
export const useHappenings = (kinds: string, listen: () => void): void => {
  const latest = useRef(listen)
  latest.current = listen
  useEffect(() => {
    const listener: Listener = (kind) => {
      if (kinds.split(" ").includes(kind)) latest.current()
    }
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, [kinds])
}

/** Asks for a path, and again after changes of these kinds. */
export const useAsked = <A>(path: string, kinds: string): Asked<A> => {
  const [value, setValue] = useState<A>()
  const [problem, setProblem] = useState<Problem>()
  const [round, setRound] = useState(0)
  const last = useRef(0)
  const planned = useRef<ReturnType<typeof setTimeout>>(undefined)
  const again = useCallback(() => setRound((before) => before + 1), [])

  useEffect(() => setValue(undefined), [path])
  useEffect(() => {
    const controller = new AbortController()
    last.current = performance.now()
    ask<A>(path, { signal: controller.signal }).then(
      (answer) => {
        setValue(answer)
        setProblem(undefined)
      },
      (cause: unknown) => {
        if (controller.signal.aborted) return
        setProblem(cause instanceof Problem ? cause : new Problem(0, String(cause)))
      }
    )
    return () => controller.abort()
  }, [path, round])

  useEffect(() => {
    const timer = setInterval(again, atLeastEvery)
    return () => clearInterval(timer)
  }, [again])
  useEffect(() => () => clearTimeout(planned.current), [])
  useHappenings(kinds, () => {
    if (planned.current !== undefined || document.hidden) return
    planned.current = setTimeout(
      () => {
        planned.current = undefined
        again()
      },
      Math.max(0, atMostEvery - (performance.now() - last.current))
    )
  })
  return { value, problem, again }
}

/** The place in the page: what follows `#`. */
export const usePlace = (): readonly [path: string, parameters: URLSearchParams] => {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const onChange = () => setHash(location.hash)
    addEventListener("hashchange", onChange)
    return () => removeEventListener("hashchange", onChange)
  }, [])
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?")
  return [path === "" ? "/" : path, new URLSearchParams(search)]
}

/** Does something once when it is asked to, and says how it went. */
export const useAction = (then: () => void) => {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const act = async (path: string, body?: unknown, method = "POST"): Promise<boolean> => {
    setBusy(true)
    setProblem(undefined)
    try {
      await ask(path, body === undefined ? { method } : { method, body })
      then()
      return true
    } catch (cause) {
      setProblem(cause instanceof Error ? cause.message : String(cause))
      return false
    } finally {
      setBusy(false)
    }
  }
  return { busy, problem, act }
}
