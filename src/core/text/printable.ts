/**
 * The text as a terminal may be given it: characters that would move the cursor, color what follows or turn its direction
 * are escaped, `\u001b`. Line breaks and tabs stay, and JSON stays the same JSON.
 */
export function printable(text: string): string {
  return text.replace(
    /[^\P{Cc}\n\t]|[\u2028-\u202e\u2066-\u2069]/gu,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
