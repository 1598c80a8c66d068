import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'

/** The settings in a `.env`, and warnings about probable mistakes, which never repeat a value. */
export type EnvFile = { values: Record<string, string>; warnings: string[] }

/**
 * Reads the `.env` in a folder, or else the one in the program's folder, if that is known. The latter has its paths made
 * absolute, and the default one too: wherever a person is when they give a command, it is about the same database.
 */
export function findEnvFile(here: string, programFolder?: string): EnvFile {
  if (existsSync(join(here, '.env'))) return parseEnvFile(readFileSync(join(here, '.env')))
  if (programFolder === undefined || !existsSync(join(programFolder, '.env')))
    return { values: {}, warnings: [] }
  const { values, warnings } = parseEnvFile(readFileSync(join(programFolder, '.env')))
  for (const [name, value] of Object.entries({
    ...values,
    DATABASE_PATH: values.DATABASE_PATH || DATABASE_PATH,
  }))
    if (isPath(name) && value !== '') values[name] = resolve(programFolder, value)
  return { values, warnings }
}

/** The default in config.ts. */
const DATABASE_PATH = './data/openseat.db'

const isPath = (name: string): boolean =>
  ['DATABASE_PATH', 'TEMPLATES_PATH'].includes(name) || name.endsWith('_FILE')

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
