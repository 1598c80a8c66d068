/**
 * Makes a text safe to print in a terminal: escapes characters that move the cursor, change colors, or reverse the direction
 * of text (`\u001b`). Line breaks and tabs stay. JSON stays valid, with the same content.
 */
export function printable(text: string): string {
  return text.replace(
    /[^\P{Cc}\n\t]|[\u2028-\u202e\u2066-\u2069]/gu,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
