/** Every color of emails and pages by its role, as `#rrggbb`. `…-dark` is the same role in dark mode. */
export type Palette = Record<(typeof ROLES)[number] | `${(typeof ROLES)[number]}-dark`, string>

const ROLES = [
  'back',
  'sheet',
  'ink',
  'quiet',
  'accent',
  'on-accent',
  'tint',
  'on-tint',
  'few',
  'line',
] as const

/** The least contrast of text against its background: WCAG 2.2, 1.4.3. */
export const LEAST_CONTRAST = 4.5

export const DEFAULT_BRAND_COLOR = '#0b5c4a'

const LIGHT = {
  back: '#f4f1ea',
  sheet: '#fffefb',
  ink: '#26302c',
  quiet: '#5a655f',
  few: '#8a4a12',
  line: '#e4dfd3',
}
const DARK = {
  back: '#141a18',
  sheet: '#1d2522',
  ink: '#e9ece7',
  quiet: '#aab5ae',
  few: '#f0b67f',
  line: '#35403b',
}

/** Text colors, each with a background it appears on. */
export const TEXT_PAIRS = [
  ['ink', 'back'],
  ['ink', 'sheet'],
  ['ink', 'tint'],
  ['quiet', 'back'],
  ['quiet', 'sheet'],
  ['quiet', 'tint'],
  ['accent', 'back'],
  ['accent', 'sheet'],
  ['on-accent', 'accent'],
  ['on-tint', 'tint'],
  ['few', 'sheet'],
] as const

/** Builds the palette from a practice's brand color, `#rrggbb`. All text is readable if `problemOf(brand)` is null. */
export function paletteFrom(brand: string): Palette {
  const tint = mix(brand, LIGHT.sheet, 0.88)
  const accentDark = toward('#ffffff', mix(vivid(brand), '#ffffff', 0.45), DARK.sheet, 7)
  const tintDark = mix(accentDark, DARK.sheet, 0.84)
  const light = {
    ...LIGHT,
    accent: brand,
    'on-accent': '#ffffff',
    tint,
    'on-tint': toward('#000000', brand, tint, LEAST_CONTRAST),
  }
  const dark = {
    ...DARK,
    accent: accentDark,
    'on-accent': '#10211b',
    tint: tintDark,
    'on-tint': toward('#ffffff', accentDark, tintDark, LEAST_CONTRAST),
  }
  const darkNamed = Object.entries(dark).map(([role, color]) => [`${role}-dark`, color])
  return { ...light, ...Object.fromEntries(darkNamed) } as Palette
}

/** Why a color cannot be the brand color: too pale to read as text or under white text. Null if it can. */
export function problemOf(brand: string): string | null {
  const least = Math.min(contrast(brand, LIGHT.back), contrast(brand, '#ffffff'))
  if (least >= LEAST_CONTRAST) return null
  const darker = toward('#000000', brand, LIGHT.back, LEAST_CONTRAST)
  return `is too pale: it has a contrast of ${least.toFixed(1)}:1 where text needs ${LEAST_CONTRAST}:1; for example ${darker}`
}

/** The contrast of two colors, 1 to 21: WCAG 2.2, "contrast ratio". */
export function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = channels(color)
    .map((channel) => channel / 255)
    .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** The same hue with its strongest channel at 165: bright, but not pale. */
function vivid(color: string): string {
  const most = Math.max(...channels(color), 1)
  return fromChannels(channels(color).map((channel) => (channel / most) * 165))
}

/** Moves `color` toward `end`, only as far as needed to reach the `wanted` contrast against `behind`. */
function toward(end: string, color: string, behind: string, wanted: number): string {
  for (let share = 0; share < 1; share += 0.01) {
    const moved = mix(color, end, share)
    if (contrast(moved, behind) >= wanted) return moved
  }
  return end
}

/** A mix of two colors: `share` 0 gives the first, 1 the second. */
function mix(one: string, other: string, share: number): string {
  const target = channels(other)
  return fromChannels(channels(one).map((channel, at) => channel + ((target[at] ?? 0) - channel) * share))
}

const fromChannels = (values: readonly number[]): string =>
  `#${values.map((value) => Math.round(value).toString(16).padStart(2, '0')).join('')}`

const channels = (color: string): number[] =>
  [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
