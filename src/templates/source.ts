import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BadInput } from '../core/errors.ts'
import { suggestion } from '../core/intake/fields.ts'
import type { Palette } from '../core/mail/palette.ts'

/** A template with its includes and colors filled in. `at` gives the file and line that a line of `text` came from. */
export type Source = { text: string; file: string; at: (line: number) => string }

/** The folders where templates are looked for, ours last. */
export const foldersOf = (override: string | undefined): string[] =>
  override === undefined ? [OWN_FOLDER] : [override, OWN_FOLDER]

/** Reads a template by its path in the folder, such as `digest.mjml` or `pages/home.hbs`. */
export type ReadSource = (name: string) => Promise<Source>

const OWN_FOLDER = fileURLToPath(new URL('../../templates', import.meta.url))

/**
 * Reads each template from `override` if it is there, else from our own folder. Replaces `$accent` and the like with the
 * palette's colors, and `<mj-include path="./file.mjml" />` with that file. Throws `BadInput` with file and line.
 */
export function sourceReader(override: string | undefined, palette: Palette): ReadSource {
  const folders = foldersOf(override)
  return async (name) => {
    const { file, lines } = await expand(folders, name, palette, [])
    return {
      text: lines.map(({ text }) => text).join('\n'),
      file,
      at: (line) => lines[line - 1]?.at ?? file,
    }
  }
}

/**
 * Checks that each file in a folder of overrides replaces one of ours or adds a language (`words/pt.json`,
 * `operator/words/pt.json`). A file with a
 * misspelled name would have no effect, without any error. Throws `BadInput` with the file.
 */
export async function checkOverrides(folder: string): Promise<void> {
  const own = await filesIn(OWN_FOLDER)
  const files = await filesIn(folder).catch((error: Error) => {
    throw new BadInput(`TEMPLATES_PATH names the folder ${folder}, which cannot be read: ${error.message}`)
  })
  const unknown = files.find(
    (file) =>
      !own.includes(file) &&
      !/^((operator\/)?words\/[^/]+\.json|expect\.[a-z]{2,3}\.hbs|README.*)$/.test(file),
  )
  if (unknown !== undefined)
    throw new BadInput(`${join(folder, unknown)}: replaces no template${suggestion(unknown, own)}`)
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

/** The template that we ship, even if it is overridden. */
export const ownSource = async (name: string): Promise<string> => readFile(join(OWN_FOLDER, name), 'utf8')

type Line = { text: string; at: string }

async function expand(
  folders: readonly string[],
  name: string,
  palette: Palette,
  within: readonly string[],
): Promise<{ file: string; lines: Line[] }> {
  const { file, text } = await find(folders, name)
  const lines: Line[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const at = `${file}:${index + 1}`
    const included = /<mj-include\b[^>]*>/.exec(line)?.[0]
    if (included === undefined) lines.push({ text: withColors(line, palette, at), at })
    else lines.push(...(await include(folders, included, palette, [...within, name], at)))
  }
  return { file, lines }
}

async function include(
  folders: readonly string[],
  element: string,
  palette: Palette,
  within: readonly string[],
  at: string,
): Promise<Line[]> {
  // Only a file name: a path could read any file on this machine.
  const name = /\bpath="(?:\.\/)?([\w-]+\.mjml)"/.exec(element)?.[1]
  if (name === undefined)
    throw new BadInput(
      `${at}: ${element} must name a file in the same folder; for example path="./look.mjml"`,
    )
  if (within.includes(name)) throw new BadInput(`${at}: ${name} includes itself`)
  try {
    return (await expand(folders, name, palette, within)).lines
  } catch (error) {
    throw error instanceof Missing ? new BadInput(`${at}: ${error.message}`) : error
  }
}

async function find(folders: readonly string[], name: string): Promise<{ file: string; text: string }> {
  for (const folder of folders) {
    const file = join(folder, name)
    try {
      return { file, text: await readFile(file, 'utf8') }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT') throw new BadInput(`cannot read the template ${file}: ${message}`)
    }
  }
  throw new Missing(`there is no template ${name} in ${folders.join(' or ')}`)
}

class Missing extends BadInput {}

function withColors(line: string, palette: Palette, at: string): string {
  return line.replace(/\$([a-z][a-z-]*[a-z])/g, (token, name: string) => {
    const color = (palette as Record<string, string>)[name]
    if (color === undefined)
      throw new BadInput(`${at}: there is no color ${token}; there are ${Object.keys(palette).join(', ')}`)
    return color
  })
}
