import { hash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { readToken, signToken } from '../../../core/tokens.ts'

/** Far more than anyone's data takes. */
const MOST_BYTES = 8 * 1024 * 1024

/** A file inside a form: whoever has the page can download it, and the server keeps nothing. */
export type FileInForm = { file: string; seal: string }

/** Packs a file into a form. The seal keeps others from making our server offer a file of theirs. */
export function fileInForm([secret = '']: readonly string[], text: string): FileInForm {
  const file = deflateRawSync(text).toString('base64url')
  return { file, seal: signToken(secret, 'data-file', hash('sha256', file)) }
}

/** The file that `fileInForm` packed with one of these secrets; null if it is another. */
export function fileFromForm(secrets: readonly string[], { file, seal }: FileInForm): string | null {
  if (readToken(secrets, 'data-file', seal) !== hash('sha256', file)) return null
  return inflateRawSync(Buffer.from(file, 'base64url'), { maxOutputLength: MOST_BYTES }).toString()
}
