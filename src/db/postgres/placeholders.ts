const KEPT = 300

type Named = { name?: string; text: string }

const known = new Map<string, Named>()

/**
 * The text with `$1, $2, …` in place of each `?` outside of quotes. A text that comes again gets a name, by which the server
 * keeps it prepared on each connection.
 */
export function numbered(text: string): Named {
  const found = known.get(text)
  if (found) return found
  let count = 0
  // Drizzle's builder for SQLite names the table of a column there, where Postgres knows columns alone.
  const own = text.replaceAll(/on conflict \(([^)]*)\)/g, (target) => target.replaceAll(/"\w+"\./g, ''))
  const parts = own.split(/('(?:[^']|'')*'|"[^"]*")/)
  const result = parts.map((part, index) =>
    index % 2 === 1 ? part : part.replaceAll('?', () => `$${(count += 1)}`),
  )
  if (known.size >= KEPT) return { text: result.join('') }
  const named = { name: `q${known.size}`, text: result.join('') }
  known.set(text, named)
  return named
}
