/** Mail is read in columns of 72 (RFC 2646 §4.1 asks for fewer than 80). */
const COLUMNS = 72

/**
 * Wraps the lines of a text between words, each with its own indent. A word that is longer, such as an address, stays whole.
 * The first line is left as it is: it greets by name, which `fold` broke, and a page is wrapped once for readers of all names.
 */
export function wrap(text: string): string {
  return text
    .split('\n')
    .flatMap((line, index) => (index === 0 || line.length <= COLUMNS ? line : wrapLine(line, COLUMNS)))
    .join('\n')
}

/** A name as the greeting of a text has it: broken between words so early that the greeting fits around it. */
export const fold = (name: string): string => wrapLine(name, COLUMNS - GREETING).join('\n')

/** Columns for what stands around a name in the greeting, in any language. */
const GREETING = 12

function wrapLine(line: string, columns: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? ''
  const lines: string[] = []
  let current = ''
  for (const word of line.trim().split(/ +/)) {
    const longer = current === '' ? word : `${current} ${word}`
    if (indent.length + longer.length > columns && current !== '') {
      lines.push(indent + current)
      current = word
    } else current = longer
  }
  return [...lines, indent + current]
}
