/**
 * Runs as a child process: reads MJML sources as a JSON list on stdin, and writes a JSON list of HTML or problems to stdout.
 * A child process, because MJML takes about 100 MB to load and is needed only for a moment at start.
 */
import { json } from 'node:stream/consumers'
import mjml2html from 'mjml'

/** The HTML of a source, or its problems by line (0 = unknown line). */
export type Compiled = { html: string } | { problems: { line: number; message: string }[] }

type MjmlError = Error & { errors?: { line: number; message: string; tagName: string }[] }

/** Compiles one source. It does not throw: what is wrong with the source is in the result. */
export async function compile(source: string): Promise<Compiled> {
  try {
    // With MJML's default fonts, a template that names one of them would make every reader fetch it from Google.
    const { html } = await mjml2html(source, { validationLevel: 'strict', fonts: {}, keepComments: false })
    return { html }
  } catch (error) {
    const { errors, message } = error as MjmlError
    const problems = errors?.map((one) => ({ line: one.line, message: `<${one.tagName}> ${one.message}` }))
    return { problems: problems ?? [{ line: 0, message }] }
  }
}

if (import.meta.main) {
  const sources = (await json(process.stdin)) as string[]
  process.stdout.write(JSON.stringify(await Promise.all(sources.map(compile))))
}
