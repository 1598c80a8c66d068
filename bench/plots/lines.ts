import { ALARM, COLOURS, card, dot, line, path, QUIET, steps, text, WIDTH } from './svg.ts'

export type Series = { name: string; points: readonly (readonly [x: number, y: number])[] }

export type LinePlot = {
  title: string
  subtitle: string
  series: readonly Series[]
  xName: string
  /** Powers of ten, and only where points are, for sizes of lists. */
  logarithmic: boolean
  /** Powers of ten on the upright axis, for things of very different size. */
  steep?: boolean
  goal?: { value: number; name: string }
}

const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [84, WIDTH - 190, 92, 330, 390]
const LABEL_HEIGHT = 18

/** Lines over a common axis, each named at its end. */
export function linePlot({
  title,
  subtitle,
  series,
  xName,
  logarithmic,
  steep = false,
  goal,
}: LinePlot): string {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b)
  const ys = series.flatMap(({ points }) => points.map(([, y]) => y))
  const marks = steep ? powers(ys) : steps(Math.max(goal?.value ?? 0, ...ys))
  const height = steep ? Math.log10 : (y: number) => y
  const [low, high] = [height(marks[0] ?? 0), height(marks.at(-1) ?? 1)]
  const scale = logarithmic ? Math.log10 : (x: number) => x
  const [first, last] = [scale(xs[0] ?? 1), scale(xs.at(-1) ?? 1)]
  const atX = (x: number) => LEFT + ((scale(x) - first) / (last - first || 1)) * (RIGHT - LEFT)
  const atY = (y: number) => BOTTOM - ((height(y) - low) / (high - low || 1)) * (BOTTOM - TOP)

  const ends = series.map(({ name, points }, index) => {
    const [x, y] = points.at(-1) ?? [0, 0]
    return { name, x: atX(x), y: atY(y), fill: COLOURS[index % COLOURS.length] ?? '' }
  })
  if (goal) ends.push({ name: goal.name, x: RIGHT, y: atY(goal.value), fill: ALARM })

  return card(HEIGHT, { title, subtitle }, [
    ...marks.flatMap((mark) => [
      line([LEFT, atY(mark)], [RIGHT, atY(mark)]),
      text(LEFT - 10, atY(mark) + 4, mark.toLocaleString('en'), { anchor: 'end', fill: QUIET }),
    ]),
    ...ticks(xs, logarithmic).map((x) =>
      text(atX(x), BOTTOM + 22, x.toLocaleString('en'), { anchor: 'middle', fill: QUIET }),
    ),
    text((LEFT + RIGHT) / 2, BOTTOM + 44, xName, { anchor: 'middle', fill: QUIET }),
    ...(goal ? [line([LEFT, atY(goal.value)], [RIGHT, atY(goal.value)], ALARM, true)] : []),
    ...series.flatMap(({ points }, index) => {
      const places = points.map(([x, y]) => [atX(x), atY(y)] as const)
      const colour = COLOURS[index % COLOURS.length] ?? ''
      return [path(places, colour), ...(logarithmic ? places.map(([x, y]) => dot(x, y, colour)) : [])]
    }),
    ...apart(ends).map(({ name, y, fill }) => text(RIGHT + 12, y + 4, name, { fill, weight: 600 })),
  ])
}

function ticks(xs: readonly number[], logarithmic: boolean): readonly number[] {
  return logarithmic ? xs : steps(xs.at(-1) ?? 0).filter((x) => x <= (xs.at(-1) ?? 0))
}

/** From the power of ten at or below the lowest to the one at or above the highest. */
function powers(values: readonly number[]): number[] {
  const [from, to] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))]
  return Array.from({ length: to - from + 1 }, (_, n) => 10 ** (from + n))
}

/** Moves labels down until none lies on the one above it, then all up as far as they ran out of the picture. */
function apart<Label extends { y: number }>(labels: readonly Label[]): Label[] {
  let free = Number.NEGATIVE_INFINITY
  const placed = labels
    .toSorted((a, b) => a.y - b.y)
    .map((label) => {
      const y = Math.max(label.y, free)
      free = y + LABEL_HEIGHT
      return { ...label, y }
    })
  const over = Math.max(0, free - LABEL_HEIGHT - BOTTOM)
  return placed.map((label) => ({ ...label, y: label.y - over }))
}
