/** Made shapes, as SVG text. */
export type Shapes = readonly string[]

export const COLOURS = ['#0b5c4a', '#b4551d', '#3f5fa8', '#8a2f6b', '#7a6a00', '#4a4a4a'] as const
export const INK = '#1f2623'
export const QUIET = '#5d6863'
export const RULE = '#dfe3e0'
export const ALARM = '#b3261e'
export const WIDTH = 760

type TextOptions = { anchor?: 'start' | 'middle' | 'end'; size?: number; weight?: number; fill?: string }

/** A picture of its own: a white card, which reads on a light page and on a dark one, with a title and a line below it. */
export function card(height: number, words: { title: string; subtitle: string }, shapes: Shapes): string {
  const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family='${font}'>`,
    `<title>${escaped(words.title)}</title>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="12" fill="#ffffff" stroke="#d5dad7"/>`,
    text(28, 38, words.title, { size: 18, weight: 600 }),
    text(28, 60, words.subtitle, { size: 13, fill: QUIET }),
    ...shapes,
    '</svg>\n',
  ].join('\n')
}

export function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { anchor = 'start', size = 13, weight = 400, fill = INK } = options
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(content)}</text>`
}

export function line(from: [number, number], to: [number, number], stroke = RULE, dashed = false): string {
  const [x1, y1, x2, y2] = [...from, ...to].map(round)
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${stroke}"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`
}

export function path(points: readonly (readonly [number, number])[], stroke: string): string {
  const places = points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')
  return `<polyline points="${places}" fill="none" stroke="${stroke}" stroke-width="2.5" stroke-linejoin="round"/>`
}

export const dot = (x: number, y: number, fill: string): string =>
  `<circle cx="${round(x)}" cy="${round(y)}" r="4" fill="${fill}"/>`

export const bar = (x: number, y: number, width: number, height: number, fill: string): string =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(width, 1))}" height="${height}" rx="2" fill="${fill}"/>`

/** Round steps from 0 to at least `highest`, five or so. */
export function steps(highest: number): number[] {
  const rough = Math.max(highest, 1e-9) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough
  return Array.from({ length: Math.ceil(highest / step - 1e-9) + 1 }, (_, n) => n * step)
}

const round = (value: number): number => Math.round(value * 10) / 10

const escaped = (content: string): string =>
  content.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? sign)
