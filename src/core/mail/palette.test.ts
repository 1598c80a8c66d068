import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  contrast,
  DEFAULT_BRAND_COLOR,
  LEAST_CONTRAST,
  paletteFrom,
  problemOf,
  TEXT_PAIRS,
} from './palette.ts'

/** Any color that an operator could set. */
const color = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`)

test('contrast follows WCAG', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
})

test('all text of the palette is readable, in light and dark, for every accepted brand color', () => {
  const faint = (brand: string) => {
    const palette = paletteFrom(brand)
    return TEXT_PAIRS.flatMap(([text, behind]) => [
      [palette[text], palette[behind]] as const,
      [palette[`${text}-dark`], palette[`${behind}-dark`]] as const,
    ]).filter(([text, behind]) => contrast(text, behind) < LEAST_CONTRAST)
  }
  expect(faint(DEFAULT_BRAND_COLOR)).toEqual([])
  fc.assert(
    fc.property(color, (brand) => {
      if (problemOf(brand) === null) expect(faint(brand)).toEqual([])
    }),
    { numRuns: 2000, examples: [['#000000'], ['#0000ff'], ['#a8326e']] },
  )
})

test('a color that is too pale is refused with its contrast and a darker color that is accepted', () => {
  const said = problemOf('#23b08f')
  expect(said).toMatch(
    /^is too pale: it has a contrast of 2\.4:1 where text needs 4\.5:1; for example #[0-9a-f]{6}$/,
  )
  const darker = said?.slice(-7) ?? ''
  expect(problemOf(darker)).toBeNull()
  expect(contrast(darker, paletteFrom(darker).back)).toBeLessThan(LEAST_CONTRAST + 0.2) // no darker than it has to be
  expect(problemOf(DEFAULT_BRAND_COLOR)).toBeNull()
})
