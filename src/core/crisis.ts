/**
 * Where to turn in a crisis, by country: CRISIS_LINE. Each is that country's public line, open day and night:
 * https://988lifeline.org (us), https://988.ca (ca), https://www.samaritans.org (uk, ie), https://www.lifeline.org.au (au).
 */
const NOTES = {
  us: 'If you are in crisis, call or text 988 in the US.',
  ca: 'If you are in crisis, call or text 988 in Canada.',
  uk: 'If you are in crisis, call Samaritans on 116 123 in the UK.',
  ie: 'If you are in crisis, call Samaritans on 116 123 in Ireland.',
  au: 'If you are in crisis, call Lifeline on 13 11 14 in Australia.',
  off: null,
} as const

export type CrisisLine = keyof typeof NOTES

export const CRISIS_LINES = Object.keys(NOTES) as CrisisLine[]

/** The sentence at the foot of pages and mails; null when it is turned off. */
export function crisisNote(line: CrisisLine): string | null {
  return NOTES[line]
}
