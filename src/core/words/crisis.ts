/**
 * Values of CRISIS_LINE, by country. Each means that country's public crisis line, open day and night:
 * https://988lifeline.org (us), https://988.ca (ca), https://www.samaritans.org (uk, ie), https://www.lifeline.org.au (au).
 * The sentences are in the catalogs (`templates/words/`).
 */
export const CRISIS_LINES = ['us', 'ca', 'uk', 'ie', 'au', 'off'] as const

export type CrisisLine = (typeof CRISIS_LINES)[number]
