/**
 * The chart of the README: events per second of each subject as bars, one scale for each panel, as SVG that is readable
 * on light and dark pages.
 */

export interface Bar {
  readonly label: string
  readonly value: number
  /** The service's own bars stand out. */
  readonly isService: boolean
}

export interface Panel {
  readonly title: string
  readonly bars: ReadonlyArray<Bar>
}

const width = 860
const labelWidth = 290
const valueWidth = 110
const barHeight = 20
const gap = 7
const titleHeight = 34

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const style = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .value { font-variant-numeric: tabular-nums }
  .bar { fill: #8c959f }
  .service { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .bar { fill: #6e7681 }
    .service { fill: #4493f8 }
  }`

const drawBar = ({ isService, label, value }: Bar, y: number, scale: number): string => {
  const length = Math.max(1, value * scale).toFixed(1)
  const middle = y + barHeight / 2
  const name = `<text x="${labelWidth - 10}" y="${middle}" text-anchor="end" dominant-baseline="central">${escapeXml(label)}</text>`
  const bar = `<rect class="${isService ? "service" : "bar"}" x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}" rx="2"/>`
  const number = `<text class="value" x="${(labelWidth + Number(length) + 8).toFixed(1)}" y="${middle}" dominant-baseline="central">${Math.round(value).toLocaleString("en")}/s</text>`
  return [name, bar, number].join("\n")
}

const drawPanel = ({ bars, title }: Panel, top: number): string => {
  const scale = (width - labelWidth - valueWidth) / Math.max(1, ...bars.map(({ value }) => value))
  const drawn = bars.map((bar, index) => drawBar(bar, top + titleHeight + index * (barHeight + gap), scale))
  return [`<text class="title" x="0" y="${top + 20}">${escapeXml(title)}</text>`, ...drawn].join("\n")
}

const heightOf = ({ bars }: Panel): number => titleHeight + bars.length * (barHeight + gap) + 10

export const draw = (panels: ReadonlyArray<Panel>): string => {
  let top = 0
  const drawn = panels.map((panel) => {
    const text = drawPanel(panel, top)
    top += heightOf(panel)
    return text
  })
  const label = "Events per second of the service and of what it is compared with"
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" role="img" aria-label="${label}">
<style>${style}
</style>
${drawn.join("\n")}
</svg>
`
}
