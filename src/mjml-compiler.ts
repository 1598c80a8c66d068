/**
 * A process of its own: reads MJML sources as a JSON list on standard input and answers with a list of HTML or problems.
 * MJML takes some 100 MB to load, and the program needs it for a moment at its start.
 */
import { json } from 'node:stream/consumers'
import mjml2html from 'mjml'

/** The HTML of a source, or what is wrong with it by line (0: no line is known). */
export type Compiled = { html: string } | { problems: { line: number; message: string }[] }

type MjmlError = Error & { errors?: { line: number; message: string; tagName: string }[] }

async function compile(source: string): Promise<Compiled> {
  try {
    // Without `fonts: {}` a font of that name in a template would be fetched from Google by every reader.
    const { html } = await mjml2html(source, { validationLevel: 'strict', fonts: {}, keepComments: false })
    return { html }
  } catch (error) {
    const { errors, message } = error as MjmlError
    const problems = errors?.map((one) => ({ line: one.line, message: `<${one.tagName}> ${one.message}` }))
    return { problems: problems ?? [{ line: 0, message }] }
  }
}

const sources = (await json(process.stdin)) as string[]
process.stdout.write(JSON.stringify(await Promise.all(sources.map(compile))))
