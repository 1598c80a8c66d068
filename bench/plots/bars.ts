import { bar, COLOURS, card, QUIET, text, WIDTH } from './svg.ts'

export type Bar = { name: string; value: number; label: string; ours: boolean }

const [LEFT, RIGHT, TOP] = [260, WIDTH - 160, 88]
const ROW = 34

/** One bar a line, longest first, named on the left and counted on the right; ours in colour. */
export function barPlot(words: { title: string; subtitle: string }, bars: readonly Bar[]): string {
  const highest = Math.max(...bars.map(({ value }) => value), 1e-9)
  const sorted = bars.toSorted((a, b) => b.value - a.value)
  const shapes = sorted.flatMap(({ name, value, label, ours }, index) => {
    const y = TOP + index * ROW
    const width = (value / highest) * (RIGHT - LEFT)
    return [
      text(LEFT - 12, y + 17, name, { anchor: 'end', weight: ours ? 600 : 400 }),
      bar(LEFT, y, width, 24, ours ? COLOURS[0] : '#a9b4ae'),
      text(LEFT + Math.max(width, 1) + 8, y + 17, label, {
        fill: ours ? COLOURS[0] : QUIET,
        weight: ours ? 600 : 400,
      }),
    ]
  })
  return card(TOP + bars.length * ROW + 16, words, shapes)
}
