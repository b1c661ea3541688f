/** How a lane is steered: stopped with a note, let go on, given a pace, taken back. */
import { useState } from "preact/hooks"
import type { Lane } from "./Api.ts"
import { useAction } from "./Hooks.ts"
import { happened } from "./Live.ts"
import { Failed } from "./Parts.tsx"

export const Steer = ({
  again,
  lane,
  path
}: {
  readonly lane: Lane
  readonly path: string
  readonly again: () => void
}) => {
  const { act, busy, problem } = useAction(() => {
    again()
    happened("steered")
  })
  const steer = (how: string, body: unknown) => void act(`${path}/${how}`, body)
  return (
    <section class="steer" aria-labelledby="steer-title">
      <h2 id="steer-title">Steer</h2>
      <Pausing lane={lane} busy={busy} steer={steer} />
      <Pacing lane={lane} busy={busy} steer={steer} />
      <Failed problem={problem} />
    </section>
  )
}

interface Steering {
  readonly lane: Lane
  readonly busy: boolean
  readonly steer: (how: string, body: unknown) => void
}

const Pausing = ({ busy, lane, steer }: Steering) => {
  const [note, setNote] = useState("")
  return (
    <form
      class="actions"
      aria-label="Pause or resume"
      onSubmit={(event) => {
        event.preventDefault()
        steer(lane.paused === null ? "pause" : "resume", lane.paused !== null || note === "" ? {} : { note })
        setNote("")
      }}
    >
      {lane.paused === null && (
        <label>
          Note, why
          <input value={note} maxLength={500} onInput={(event) => setNote(event.currentTarget.value)} />
        </label>
      )}
      <button type="submit" aria-disabled={busy}>
        {lane.paused === null ? "Pause" : "Resume"}
      </button>
    </form>
  )
}

const Pacing = ({ busy, lane, steer }: Steering) => {
  const [rps, setRps] = useState("")
  const [open, setOpen] = useState("")
  const [find, setFind] = useState<boolean>()
  const isEmpty = rps === "" && open === "" && find === undefined
  return (
    <form
      class="actions"
      aria-label="Set the pace"
      onSubmit={(event) => {
        event.preventDefault()
        if (isEmpty) return
        steer("pace", {
          ...(rps === "" ? {} : { rps: Number(rps) }),
          ...(open === "" ? {} : { max_concurrent: Number(open) }),
          ...(find === undefined ? {} : { find })
        })
        setRps("")
        setOpen("")
        setFind(undefined)
      }}
    >
      <Amount
        title="Calls per second"
        min={0.001}
        max={100_000}
        step="any"
        now={lane.rps}
        value={rps}
        onType={setRps}
      />
      <Amount
        title="Open at once"
        min={1}
        max={10_000}
        step={1}
        now={lane.max_concurrent}
        value={open}
        onType={setOpen}
      />
      <label class="inline">
        Find it out, with these as the ceiling
        <input
          type="checkbox"
          checked={find ?? lane.finds}
          onChange={(event) => setFind(event.currentTarget.checked)}
        />
      </label>
      <button type="submit" aria-disabled={busy || isEmpty}>
        Set pace
      </button>
      <button
        type="button"
        aria-disabled={busy}
        class="danger"
        onClick={() => {
          if (confirm(`Forget the pace set here, what ${lane.lane} taught, and its holds?`)) steer("reset", {})
        }}
      >
        Reset
      </button>
    </form>
  )
}

interface AmountOptions {
  readonly title: string
  readonly min: number
  readonly max: number
  readonly step: number | "any"
  /** What holds as long as nothing is typed. */
  readonly now: number
  readonly value: string
  readonly onType: (value: string) => void
}

const Amount = ({ now, onType, title, ...given }: AmountOptions) => (
  <label>
    {title}
    <input type="number" {...given} placeholder={String(now)} onInput={(event) => onType(event.currentTarget.value)} />
  </label>
)
