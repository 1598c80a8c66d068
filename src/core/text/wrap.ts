/** RFC 2646 §4.1 asks for fewer than 80. */
const COLUMNS = 72

/**
 * Wraps each line of a text at 72 columns, between words, and keeps its indent. A longer word, such as a URL, stays whole.
 * The first line is not wrapped: it is the greeting, and its name is filled in after wrapping (`fold` wraps names). Without a
 * name it is a short heading.
 */
export function wrap(text: string): string {
  return text
    .split('\n')
    .flatMap((line, index) => (index === 0 || line.length <= COLUMNS ? line : wrapLine(line, COLUMNS)))
    .join('\n')
}

/** Wraps a name for the greeting of a text email, leaving room for the words around it. */
export const fold = (name: string): string => wrapLine(name, COLUMNS - GREETING).join('\n')

/** Columns for the words around a name in the greeting, in any language. */
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
