/** Lines over time. */
import { useEffect, useRef } from "preact/hooks"
import { count, moment, shortly, shortlyOrDay } from "./Format.ts"
import uPlot from "uplot"

export interface Line {
  readonly name: string
  /** A custom property of the style sheet. */
  readonly color: string
  readonly values: ReadonlyArray<number | null>
}

interface ChartOptions {
  /** Read out instead of the picture. */
  readonly label: string
  readonly unit: string
  /** Epoch seconds. */
  readonly at: ReadonlyArray<number>
  readonly lines: ReadonlyArray<Line>
  readonly height: number
  /** Without axes and legend. */
  readonly small?: boolean
}

const colorOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

const isSaid = (value: number | null | undefined): value is number => typeof value === "number"

const font = "12px system-ui, sans-serif"

/** A line along 0 is as thick as any other: there is some room below it. */
const range = (most: number): [number, number] => {
  const top = most > 0 ? most * 1.1 : 1
  return [top * -0.03, top]
}

/** Seconds that are shown at least. */
const shortest = 20

const times = (from: number | null, to: number | null): uPlot.Range.MinMax =>
  from === null || to === null ? [null, null] : [Math.min(from, to - shortest), to]

/** Values that no line leads to: those before and behind are not known. */
const alone = (plot: uPlot, series: number): Array<number> => {
  const values = plot.data[series] ?? []
  return Array.from(values, (_, place) => place).filter(
    (place) => isSaid(values[place]) && !isSaid(values[place - 1]) && !isSaid(values[place + 1])
  )
}

const make = (into: HTMLElement, { at, height, lines, small = false, unit }: ChartOptions): uPlot => {
  const axis = {
    stroke: colorOf("--faint"),
    font,
    grid: { stroke: colorOf("--rule"), width: 1 },
    ticks: { show: false }
  }
  const moments = (_: uPlot, splits: Array<number>, __: number, ___: number, every: number) =>
    splits.map((at) => (every < 60 ? moment : every < 3600 ? shortly : shortlyOrDay)(at * 1000))
  /** Where nobody points at a moment the last one counts. */
  const said = (plot: uPlot, value: number | null, place: number) =>
    value ?? Array.from<number | null | undefined>(plot.data[place] ?? []).findLast(isSaid) ?? null
  const values = (_: uPlot, splits: Array<number>) => splits.map((value) => count(value))
  return new uPlot(
    {
      width: Math.max(40, into.clientWidth),
      height,
      cursor: { show: !small, drag: { x: false, y: false } },
      legend: { show: !small },
      padding: small ? [2, 0, 2, 0] : [8, 20, 0, 0],
      scales: {
        x: { time: true, range: (_, from, to) => times(from, to) },
        y: { range: (_, __, most) => range(most ?? 0) }
      },
      axes: small
        ? [{ show: false }, { show: false }]
        : [
            { ...axis, size: 32, space: 80, values: moments },
            { ...axis, size: 56, values }
          ],
      series: [
        {
          label: "at",
          value: (plot: uPlot, value: number | null) => {
            const at = said(plot, value, 0)
            return at === null ? "–" : moment(at * 1000)
          }
        },
        ...lines.map(({ color, name }) => ({
          label: name,
          value: (plot: uPlot, value: number | null, place: number) => {
            const last = said(plot, value, place)
            return last === null ? "–" : `${count(last)} ${unit}`
          },
          stroke: colorOf(color),
          width: small ? 1.5 : 2,
          ...(small || lines.length === 1 ? { fill: `${colorOf(color)}22` } : {}),
          points: { show: true, size: small ? 3 : 5, width: 0, fill: colorOf(color), filter: alone }
        }))
      ]
    },
    dataOf(at, lines),
    into
  )
}

// uPlot's own types want arrays it may sort; it does not. One moment alone has nothing known before it, or it would stand
// at the beginning of a month
const dataOf = (at: ReadonlyArray<number>, lines: ReadonlyArray<Line>): uPlot.AlignedData => {
  const [first, ...others] = at
  const isAlone = first !== undefined && others.length === 0
  return [
    isAlone ? [first - shortest, first] : [...at],
    ...lines.map(({ values }) => (isAlone ? [null, ...values] : [...values]))
  ]
}

export const Chart = (options: ChartOptions) => {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef(options)
  latest.current = options
  useEffect(() => {
    const into = place.current
    if (into === null) return undefined
    const draw = () => {
      plot.current?.destroy()
      plot.current = make(into, latest.current)
      // a picture with a name has no content of its own
      into.querySelector(".u-legend")?.setAttribute("aria-hidden", "true")
    }
    draw()
    const watched = new ResizeObserver(() =>
      plot.current?.setSize({ width: Math.max(40, into.clientWidth), height: latest.current.height })
    )
    watched.observe(into)
    const scheme = matchMedia("(prefers-color-scheme: dark)")
    scheme.addEventListener("change", draw)
    return () => {
      watched.disconnect()
      scheme.removeEventListener("change", draw)
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [options.lines.length])
  // what is kept is added to in place: the last moment and its values tell whether there is something new to draw
  const last = options.lines.map(({ values }) => values.at(-1)).join()
  useEffect(
    () => plot.current?.setData(dataOf(options.at, options.lines)),
    [options.at.at(-1), options.at.length, last]
  )
  return <div class={options.small === true ? "spark" : "chart"} ref={place} role="img" aria-label={options.label} />
}
