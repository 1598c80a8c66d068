/** The letter that stands for a practice: the first letter or digit of its name, as a capital. */
export function letterOf(practice: string): string {
  const [letter = '•'] = practice.match(/[\p{L}\p{N}]/u) ?? []
  return letter.toUpperCase().match(/./u)?.[0] ?? letter
}

/** The icon in the browser's tab. Without a style sheet, which the policy of our pages would not apply to it. */
export function iconFor(practice: string, { accent, 'on-accent': ink }: Record<string, string>): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${accent}"/><text x="16" y="23" font-family="Georgia, 'Times New Roman', serif" font-size="20" font-weight="700" text-anchor="middle" fill="${ink}">${letterOf(practice)}</text></svg>\n`
}
