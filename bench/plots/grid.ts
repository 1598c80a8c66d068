import { ALARM, COLOURS, card, line, QUIET, text, WIDTH } from './svg.ts'

/** `alarm`: how a cell is to be read. */
export type Cell = { text: string; alarm?: 'good' | 'bad' }

const [LEFT, TOP, ROW] = [28, 100, 30]
const COLUMN = 76

/** A table as a picture: the first two columns are words, the others numbers. */
export function gridPlot(
  words: { title: string; subtitle: string },
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  const numbers = head.length - 2
  const atX = (column: number) =>
    column < 2 ? LEFT + column * 190 : WIDTH - 28 - (numbers - 1 - (column - 2)) * COLUMN
  const place = (column: number) => ({ anchor: column < 2 ? 'start' : 'end' }) as const
  const shapes = [
    ...head.map((name, column) =>
      text(atX(column), TOP, name, { ...place(column), fill: QUIET, weight: 600 }),
    ),
    ...rows.flatMap((cells, index) => {
      const y = TOP + (index + 1) * ROW
      return [
        line([LEFT, y - 20], [WIDTH - 28, y - 20]),
        ...cells.map((cell, column) => text(atX(column), y, cell.text, { ...place(column), ...looks(cell) })),
      ]
    }),
  ]
  return card(TOP + rows.length * ROW + 26, words, shapes)
}

function looks({ alarm }: Cell) {
  if (alarm === undefined) return {}
  return { weight: 600, fill: alarm === 'bad' ? ALARM : COLOURS[0] }
}
