/** Lines over time. */
import { useEffect, useRef } from "preact/hooks"
import uPlot from "uplot"

export interface Line {
  readonly name: string
  /** A custom property of the style sheet. */
  readonly color: string
  readonly values: ReadonlyArray<number | null>
}

export interface ChartOptions {
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

const make = (into: HTMLElement, { at, height, lines, small = false, unit }: ChartOptions): uPlot => {
  const axis = { stroke: colorOf("--faint"), grid: { stroke: colorOf("--rule"), width: 1 }, ticks: { show: false } }
  return new uPlot(
    {
      width: Math.max(40, into.clientWidth),
      height,
      cursor: { show: !small, drag: { x: false, y: false } },
      legend: { show: !small },
      padding: small ? [2, 0, 2, 0] : [8, 8, 0, 0],
      scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
      axes: small ? [{ show: false }, { show: false }] : [axis, { ...axis, size: 48 }],
      series: [
        {},
        ...lines.map(({ color, name }) => ({
          label: unit === "" ? name : `${name}, ${unit}`,
          stroke: colorOf(color),
          width: small ? 1.5 : 2,
          fill: `${colorOf(color)}22`,
          points: { show: false }
        }))
      ]
    },
    dataOf(at, lines),
    into
  )
}

// uPlot's own types want arrays it may sort; it does not
const dataOf = (at: ReadonlyArray<number>, lines: ReadonlyArray<Line>): uPlot.AlignedData => [
  [...at],
  ...lines.map(({ values }) => [...values])
]

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
  useEffect(() => plot.current?.setData(dataOf(options.at, options.lines)), [options.at, options.lines])
  return <div class={options.small === true ? "spark" : "chart"} ref={place} role="img" aria-label={options.label} />
}
