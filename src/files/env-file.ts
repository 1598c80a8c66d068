import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/** The settings in a `.env`, and warnings about probable mistakes, which never repeat a value. */
export type EnvFile = { values: Record<string, string>; warnings: string[] }

/** Reads a `.env`, if it exists. */
export function readEnvFile(path: string): EnvFile {
  return existsSync(path) ? parseEnvFile(readFileSync(path)) : { values: {}, warnings: [] }
}

/**
 * Reads the lines `NAME=value` of a `.env` from an editor on any system: with a byte-order mark, CRLF line endings, or in
 * UTF-16. Warns about values that are cut or kept in a way that was probably not intended.
 */
export function parseEnvFile(bytes: Uint8Array): EnvFile {
  const text = decoded(bytes).replace(/\r\n?/g, '\n')
  const warnings = text.split('\n').flatMap((line, index) => {
    const [, name = '', value = ''] = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(.*)$/.exec(line) ?? []
    const problem = problemOf(value)
    return problem === null ? [] : [`.env, line ${index + 1}: ${name} ${problem}`]
  })
  return { values: parseEnv(text) as Record<string, string>, warnings }
}

function decoded(bytes: Uint8Array): string {
  const [first, second] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  return new TextDecoder(encoding).decode(bytes)
}

function problemOf(value: string): string | null {
  const [opening = ''] = value
  if (`"'\``.includes(opening) && opening !== '')
    return value.indexOf(opening, 1) > 0
      ? null
      : 'opens a quotation mark that this line does not close; close it'
  if (/^[\u2018\u2019\u201c\u201d]/.test(value))
    return 'has curly quotation marks; write straight ones, "like this"'
  // After a space, # starts a comment, and a comment is usually meant.
  if (/#(?=[^\s#])/.test(value)) return 'is cut at the # in it; put quotation marks around the whole value'
  return null
}
