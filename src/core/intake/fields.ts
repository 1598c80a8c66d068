import { closest, distance } from 'fastest-levenshtein'
import { withoutInvisible } from '../text/invisible.ts'
import type { MessageKey, Values } from '../words/words.ts'

/** What is wrong with one field of a row. `message` continues the field's name (`topic is missing; …`) and says what to do. */
export type FieldError = { field: string; message: string }

/** What is wrong with one field of a reader's form, as a message in their language. */
export type FormError = { field: string; key: MessageKey; values?: Values }

export type Parsed<Row> = { ok: true; row: Row } | { ok: false; errors: FieldError[] }

type TextRule = { max: number; missing?: string }

/**
 * Reads the fields of one row of a file, and collects all errors instead of stopping at the first. Values may be text (CSV),
 * or numbers and null (JSON). For a missing or wrong field, the functions return an empty value; use it only if `errors` is
 * empty.
 */
export function fieldsOf(record: Readonly<Record<string, unknown>>) {
  const errors: FieldError[] = []
  const addError = (field: string, message: string): void => {
    errors.push({ field, message })
  }

  /** One line of plain text; '' if there is none. With `missing`, an empty value is an error with this advice. */
  function text(field: string, { max, missing }: TextRule): string {
    const value = plain(record[field])
    if (value === null) addError(field, 'is neither text nor a number; write plain text')
    else if (value === '' && missing !== undefined) addError(field, `is missing; ${missing}`)
    else if (value.length > max) addError(field, `is longer than ${max} characters; shorten it`)
    else if (unprintable.test(value)) addError(field, 'contains a control character; remove it')
    else return value
    return ''
  }

  /** One of `allowed`, in upper or lower case, or by another name in `also`; the first if the field is empty. */
  function oneOf<const Name extends string>(
    field: string,
    allowed: readonly [Name, ...Name[]],
    also: Readonly<Record<string, Name>> = {},
  ): Name {
    const value = text(field, { max: 40 }).toLowerCase()
    const named = Object.hasOwn(also, value) ? also[value] : value
    const found = value === '' ? allowed[0] : allowed.find((name) => name === named)
    if (found === undefined) addError(field, `is ${quote(value)}; write ${allowed.join(' or ')}`)
    return found ?? allowed[0]
  }

  /** A whole number from `from` to `to`, which `unit` may follow; null if there is none. */
  function whole(field: string, from: number, to: number, unit?: 'minutes'): number | null {
    const value = text(field, { max: 40 })
    if (value === '') return null
    const digits = unit ? value.replace(/ ?min(?:ute)?s?\.?$/i, '') : value
    const number = /^\d+$/.test(digits) ? Number(digits) : Number.NaN
    if (number >= from && number <= to) return number
    addError(field, `is ${quote(value)}; write a whole number from ${from} to ${to}`)
    return null
  }

  return { errors, addError, text, oneOf, whole }
}

/** The most similar known word: one that contains this one (`grief-and-loss` for `grief`), else the closest spelling. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const words = [...known]
  if (words.length === 0) return undefined
  return words.find((one) => word.length > 2 && one.includes(word)) ?? closest(word, words)
}

/** `; did you mean "…"?` if a known word is close enough, else ''. */
export function suggestion(word: string, known: Iterable<string>): string {
  const near = nearest(word, known)
  const likely = near !== undefined && distance(word, near) <= Math.max(2, near.length / 3)
  return likely ? `; did you mean "${near}"?` : ''
}

/** A value from a file, made safe for an error message: short, and never an address that is in the wrong column. */
export function quote(value: string): string {
  if (value.includes('@')) return 'an address'
  return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`
}

// Control characters, and characters that reverse the direction of the text around them.
const unprintable = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u

function plain(value: unknown): string | null {
  if (value === undefined || value === null) return ''
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string' || !value.isWellFormed()) return null
  return withoutInvisible(value.normalize('NFC')).replace(/\s+/gu, ' ')
}
