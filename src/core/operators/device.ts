const BROWSERS: [RegExp, string][] = [
  [/\bEdg(A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/\biPad\b/, 'iPad'],
  [/\biPhone\b/, 'iPhone'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'Mac'],
  [/\bCrOS\b/, 'Chromebook'],
  [/\bLinux\b/, 'Linux'],
]

/** A browser and its system in a few words, `Firefox on Windows`, from what it says of itself. Not proof of anything. */
export function deviceIn(userAgent: string | undefined): string {
  const named = (names: [RegExp, string][], other: string) =>
    names.find(([pattern]) => pattern.test(userAgent ?? ''))?.[1] ?? other
  return `${named(BROWSERS, 'a browser')} on ${named(SYSTEMS, 'a device')}`
}
