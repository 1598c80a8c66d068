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

/** Whatever an operator could name. */
const colour = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`)

test('contrast is that of WCAG', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
})

test('every text of the palette can be read, in light and dark, in whatever colour is let through', () => {
  const faint = (brand: string) => {
    const palette = paletteFrom(brand)
    return TEXT_PAIRS.flatMap(([text, behind]) => [
      [palette[text], palette[behind]] as const,
      [palette[`${text}-dark`], palette[`${behind}-dark`]] as const,
    ]).filter(([text, behind]) => contrast(text, behind) < LEAST_CONTRAST)
  }
  expect(faint(DEFAULT_BRAND_COLOR)).toEqual([])
  fc.assert(
    fc.property(colour, (brand) => {
      if (problemOf(brand) === null) expect(faint(brand)).toEqual([])
    }),
    { numRuns: 2000, examples: [['#000000'], ['#0000ff'], ['#a8326e']] },
  )
})

test('a colour that is too pale is refused with its figure, and a darker one that would do', () => {
  const said = problemOf('#23b08f')
  expect(said).toMatch(
    /^is too pale: it has a contrast of 2\.4:1 where text needs 4\.5:1; for example #[0-9a-f]{6}$/,
  )
  expect(problemOf(said?.slice(-7) ?? '')).toBeNull()
  expect(problemOf(DEFAULT_BRAND_COLOR)).toBeNull()
})
